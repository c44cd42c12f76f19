namespace Breakwater.Laboratory.Client;

/// <summary>What is known of a body from its URL.</summary>
internal enum ExpectationKind
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The digest of its bytes.</summary>
    Digest,

    /// <summary>Its bytes.</summary>
    Bytes,

    /// <summary>It carries its own digest.</summary>
    SelfHash,
}
