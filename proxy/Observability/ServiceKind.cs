namespace Breakwater.Proxy.Observability;

/// <summary>Kinds of requests whose service times squid keeps apart.</summary>
internal enum ServiceKind : byte
{
    /// <summary>Answered without asking another server.</summary>
    Hit,

    /// <summary>A hit whose client had it already: 304.</summary>
    NotModified,

    /// <summary>Stored, and used after another server had said that it is right.</summary>
    NearHit,

    /// <summary>Fetched.</summary>
    Miss,

    /// <summary>None of these: refused, failed, answered by the proxy itself, left by its client.</summary>
    Other,
}
