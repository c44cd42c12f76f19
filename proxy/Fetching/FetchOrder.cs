using System.Net;
using Breakwater.CacheStore;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Fetching;

/// <summary>What is fetched, from whose Stratum 1s, and how urgently.</summary>
/// <param name="Key">The object.</param>
/// <param name="Repository">The repository under which it was asked for.</param>
/// <param name="Path">Path below the repository, as asked for: <c>data/…</c>.</param>
/// <param name="Hint">Host that the client named, or null.</param>
/// <param name="Priority">Place in the line.</param>
/// <param name="Client">Who waits for it; null: the proxy itself.</param>
internal sealed record FetchOrder(ObjectKey Key, RepositoryRoute Repository, string Path, string? Hint, FetchPriority Priority,
    IPAddress? Client = null)
{
    /// <summary>The order of a client: catalogs go first, since a boot can ask for nothing else before it has them.</summary>
    public static FetchOrder Of(in ObjectKey key, RepositoryRoute repository, string path, string? hint, IPAddress? client) =>
        new(key, repository, path, hint, key.Kind is ObjectKind.Catalog or ObjectKind.Certificate or ObjectKind.History
            ? FetchPriority.Catalog : FetchPriority.Demand,
            client);

    /// <summary>Stratum 1s that failed whoever orders it with something else a moment ago: they are asked last.</summary>
    public IReadOnlyList<Stratum1> Troubled { get; init; } = [];

    /// <summary>Who may be asked.</summary>
    public FetchScope Scope { get; init; }

    /// <summary>Does whoever waits read it from memory? The store could not give back what it took.</summary>
    public bool IsReadFromMemory { get; private init; }

    /// <summary>Path from a Stratum 1's root.</summary>
    public string UrlPath => $"/cvmfs/{Repository.Fqrn}/{Path}";

    /// <summary>Those who ask for the same with the same scope share a fetch.</summary>
    public (ObjectKey Key, FetchScope Scope) InFlightKey => (Key, Scope);

    /// <summary>
    /// The same once more, since the store has lost what it took: nobody looks there for it. No other node is asked, either: it has given
    /// the object already, or has none.
    /// </summary>
    public FetchOrder FromMemory() => this with { IsReadFromMemory = true, Scope = FetchScope.Upstream };

    /// <summary>May the other order share a fetch that was begun for this one?</summary>
    public bool Suits(FetchOrder other) => IsReadFromMemory || !other.IsReadFromMemory;

    /// <summary>Does the other order ask the same Stratum 1s for the same path?</summary>
    public bool IsSameWay(FetchOrder other) =>
        Path == other.Path && Repository.Fqrn == other.Repository.Fqrn && Repository.Cluster == other.Repository.Cluster;
}
