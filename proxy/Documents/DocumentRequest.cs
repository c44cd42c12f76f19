using System.Net;
using System.Security.Cryptography;
using System.Text;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Documents;

/// <summary>A request for a document, classified and allowed.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Repository">The repository; for <c>info</c> the pseudo-repository of a cluster.</param>
/// <param name="Path">Path below <c>/cvmfs/&lt;fqrn&gt;/</c>.</param>
/// <param name="Hint">Host that the client named, or null.</param>
/// <param name="Client">Who waits for it; null: the proxy itself.</param>
internal sealed record DocumentRequest(DocumentKind Kind, RepositoryRoute Repository, string Path, string? Hint, IPAddress? Client = null)
{
    /// <summary>Paths of documents are short; geo requests, whose proxies' names a client makes up, may be 4 KB long.</summary>
    private const int MaxPathInKey = 200;

    /// <summary>Order of a few Stratum 1s.</summary>
    private const int MaxGeoBytes = 64 << 10;

    /// <summary>
    /// Identity in the cache, short however long the path is. The host does not count: every Stratum 1 of a cluster serves the same
    /// documents.
    /// </summary>
    public string CacheKey => $"{Repository.Cluster}/{Repository.Fqrn}/{(Path.Length <= MaxPathInKey ? Path : HashOf(Path))}";

    /// <summary>The longest body that is read.</summary>
    public int MaxBytes => Kind == DocumentKind.Geo ? MaxGeoBytes : Path switch
    {
        SignedDocuments.ManifestPath => Repositories.Manifest.MaxBytes,
        SignedDocuments.WhitelistPath => Repositories.Whitelist.MaxBytes,
        _ => DocumentFetcher.MaxBytes,
    };

    /// <summary>A whole boot waits behind a manifest.</summary>
    public FetchPriority Priority =>
        Path is SignedDocuments.ManifestPath or SignedDocuments.WhitelistPath ? FetchPriority.Catalog : FetchPriority.Demand;

    /// <summary>Where its fetch waits its turn with others that come; null: in a place of its own.</summary>
    public SharedPlace? Place { get; init; }

    /// <summary>Nodes of the site that are asked before a Stratum 1.</summary>
    public IReadOnlyList<Stratum1> Nodes { get; init; } = [];

    /// <summary>Path from a Stratum 1's root.</summary>
    public string UrlPath => $"/cvmfs/{Repository.Fqrn}/{Path}";

    private static string HashOf(string path) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)));
}
