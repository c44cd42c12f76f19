namespace Breakwater.Proxy.Requests;

/// <summary>What a request target asks for.</summary>
internal enum TargetKind : byte
{
    /// <summary>Not served; see <see cref="RequestTarget.Rejection"/>.</summary>
    Rejected = 0,

    /// <summary>An immutable content-addressed object: <c>/cvmfs/&lt;fqrn&gt;/data/…</c> or <c>.cvmfsalt-…</c>.</summary>
    Object,

    /// <summary>A small mutable file of a repository, <c>.cvmfs…</c>, or <c>/cvmfs/info/v1/….json</c>.</summary>
    Document,

    /// <summary>The order of Stratum 1s by distance: <c>api/v1.0/geo/…</c>.</summary>
    Geo,

    /// <summary>A path-addressed file of a repository (external data): passed through, never stored.</summary>
    PassThrough,
}
