using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Snapshots;

/// <summary>Catalogs, histories and file contents of a repository, from the store, else fetched behind all clients. Thread-safe.</summary>
internal sealed class SnapshotSource(ObjectReader objects, CatalogLimits limits)
{
    /// <summary>Longest text file of a snapshot that is read.</summary>
    public const int MaxTextBytes = 4 << 20;

    /// <summary>A snapshot's catalogs.</summary>
    public CatalogTree Tree(RepositoryRoute repository, ObjectKey rootCatalog) =>
        new(rootCatalog, (key, cancellationToken) => OpenCatalogAsync(repository, key, limits, cancellationToken));

    /// <summary>The tags in a history object.</summary>
    public async Task<Parsed<History>> ReadHistoryAsync(RepositoryRoute repository, ObjectKey history, CancellationToken cancellationToken)
    {
        if (await objects.OpenAsync(repository, history, null, FetchPriority.Prefetch, cancellationToken) is not { } lease)
        {
            return new Malformed($"The history {history} cannot be had.");
        }

        await using var wire = new LeaseStream(lease);
        return await History.ReadAsync(wire, limits, cancellationToken);
    }

    /// <summary>Reads a small file of a snapshot.</summary>
    public async Task<Parsed<byte[]>> ReadFileAsync(RepositoryRoute repository, CatalogTree tree, string path,
        CancellationToken cancellationToken)
    {
        Parsed<Resolution> resolved =
            await SnapshotResolver.ResolveAsync(tree, [new WantedPath(0, PathPattern.Literal(path))], cancellationToken);
        if (!resolved.TryGet(out Resolution? resolution, out string? problem))
        {
            return new Malformed(problem);
        }

        if (resolution.Files is not [{ } file] || file.Objects is not [ObjectKey key])
        {
            return new Malformed($"'{path}' is not a small file of '{repository.Fqrn}'.");
        }

        if (await objects.ReadAsync(repository, key, null, FetchPriority.Prefetch, cancellationToken) is not { } wire)
        {
            return new Malformed($"The object of '{path}' cannot be had.");
        }

        if (file.IsStoredPlain)
        {
            return wire;
        }

        return WireContent.TryRead(wire, MaxTextBytes) is { } text
            ? text
            : new Malformed($"'{path}' is not a zlib or zstd stream of at most {MaxTextBytes} bytes.");
    }

    /// <summary>Opens one catalog; dispose it after use.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="key">The catalog.</param>
    /// <param name="limits">How much of it is read.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<Parsed<Catalog>> OpenCatalogAsync(RepositoryRoute repository, ObjectKey key, CatalogLimits limits,
        CancellationToken cancellationToken)
    {
        if (await objects.OpenAsync(repository, key, null, FetchPriority.Prefetch, cancellationToken) is not { } lease)
        {
            return new Malformed("It cannot be had from any Stratum 1, or the store cannot keep it.");
        }

        await using var wire = new LeaseStream(lease);
        return await Catalog.OpenAsync(wire, limits, cancellationToken);
    }
}
