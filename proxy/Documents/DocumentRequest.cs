using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Documents;

/// <summary>What kind of document, and so how long it is fresh and what happens without a Stratum 1.</summary>
internal enum DocumentKind : byte
{
    /// <summary>A <c>.cvmfs…</c> file of a repository, or <c>info/v1/….json</c>: checked every 61 s, stale on error.</summary>
    File,

    /// <summary>An order of Stratum 1s: fresh as long as it says; made here when no Stratum 1 is up.</summary>
    Geo,
}

/// <summary>A request for a document, classified and allowed.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Repository">The repository; for <c>info</c> the pseudo-repository of a cluster.</param>
/// <param name="Path">Path below <c>/cvmfs/&lt;fqrn&gt;/</c>.</param>
/// <param name="Hint">Host that the client named, or null.</param>
internal sealed record DocumentRequest(DocumentKind Kind, RepositoryRoute Repository, string Path, string? Hint)
{
    /// <summary>Identity in the cache. The host does not count: every Stratum 1 of a cluster serves the same documents.</summary>
    public string CacheKey => $"{Repository.Cluster}/{Repository.Fqrn}/{Path}";

    /// <summary>Path from a Stratum 1's root.</summary>
    public string UrlPath => $"/cvmfs/{Repository.Fqrn}/{Path}";
}
