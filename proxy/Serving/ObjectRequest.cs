using System.Net;
using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Serving;

/// <summary>A request for an object, classified and allowed.</summary>
/// <param name="Key">The object.</param>
/// <param name="Repository">The repository under which it is asked for.</param>
/// <param name="Path">Path below the repository, as asked for.</param>
/// <param name="Hint">Host that the client named in absolute form; null in origin form.</param>
/// <param name="Client">Who asks.</param>
internal sealed record ObjectRequest(ObjectKey Key, RepositoryRoute Repository, string Path, string? Hint, IPAddress? Client)
{
    /// <summary>The fetch that this request would start.</summary>
    public FetchOrder ToOrder() => new(
        Key,
        Repository,
        Path,
        Hint,
        Key.Kind is (byte)'C' or (byte)'X' or (byte)'H' ? FetchPriority.Catalog : FetchPriority.Demand,
        Client);
}
