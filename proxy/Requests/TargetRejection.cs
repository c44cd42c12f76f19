namespace Breakwater.Proxy.Requests;

/// <summary>Why a target is not served.</summary>
internal enum TargetRejection : byte
{
    /// <summary>It is served.</summary>
    None = 0,

    /// <summary>Not in the grammar: 400.</summary>
    Malformed,

    /// <summary>Longer than <see cref="RequestTarget.MaxLength"/>: 414.</summary>
    TooLong,

    /// <summary>An absolute form whose scheme is not http: 400. A <c>https://</c> URL is asked for by CONNECT.</summary>
    Scheme,

    /// <summary>Not below <c>/cvmfs/</c>: 403 in absolute form (this is no open proxy), 404 in origin form.</summary>
    NotCvmfs,

    /// <summary>Begins as the name of an alternative catalog and is none: 404.</summary>
    NotAnObject,
}
