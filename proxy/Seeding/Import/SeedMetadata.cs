using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Seeding.Import;

/// <summary>What a check of a bundle needs of its objects: which are there, and the bytes of catalogs and histories.</summary>
internal interface ISeedMetadata
{
    /// <summary>Is the object there?</summary>
    bool Has(in ObjectKey key);

    /// <summary>The bytes of a catalog or history, seekable; null: not there.</summary>
    Stream? Open(in ObjectKey key);

    /// <summary>Only an earlier bundle has it (<c>--since</c>), and that is not at hand: what it says cannot be checked here, an import checks it.</summary>
    bool IsElsewhere(in ObjectKey key);
}

/// <summary>The objects of a store.</summary>
internal sealed class StoreMetadata(IObjectStore store) : ISeedMetadata
{
    /// <inheritdoc/>
    public bool Has(in ObjectKey key) => store.Contains(key);

    /// <inheritdoc/>
    public Stream? Open(in ObjectKey key) => store.TryOpen(key, out ObjectLease? lease) ? new LeaseStream(lease) : null;

    /// <inheritdoc/>
    public bool IsElsewhere(in ObjectKey key) => false;

    /// <summary>The wire bytes of a small object; null: not there.</summary>
    public byte[]? ReadAll(ObjectKey key)
    {
        using Stream? wire = Open(key);
        using var bytes = new MemoryStream();
        wire?.CopyTo(bytes);
        return wire is null ? null : bytes.ToArray();
    }
}

/// <summary>Without a store: checks digests, and keeps catalogs and histories in a temporary directory until it is disposed.</summary>
internal sealed class SpooledMetadata : ISeedMetadata, IObjectSink, IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("breakwater-verify-");
    private readonly HashSet<ObjectKey> _keys = []; // guarded by itself

    /// <summary>Objects that count as there.</summary>
    public void Add(IEnumerable<ObjectKey> keys)
    {
        lock (_keys)
        {
            _keys.UnionWith(keys);
        }
    }

    /// <inheritdoc/>
    public bool Has(in ObjectKey key)
    {
        lock (_keys)
        {
            return _keys.Contains(key);
        }
    }

    /// <inheritdoc/>
    public Stream? Open(in ObjectKey key) => File.Exists(PathOf(key)) ? File.OpenRead(PathOf(key)) : null;

    /// <inheritdoc/>
    public bool IsElsewhere(in ObjectKey key) => Has(key) && !File.Exists(PathOf(key));

    /// <inheritdoc/>
    public ObjectTaker Begin(in ObjectKey key, long length)
    {
        Add([key]);
        return new Taker(key, key.Kind is (byte)'C' or (byte)'H' ? File.Create(PathOf(key)) : null);
    }

    /// <inheritdoc/>
    public void Dispose() => _directory.Delete(recursive: true);

    private string PathOf(in ObjectKey key) => Path.Combine(_directory.FullName, key.ToString());

    private sealed class Taker(ObjectKey key, FileStream? file) : ObjectTaker
    {
        private readonly HashOnlySink.Taker _hash = new(key);

        public override async ValueTask<CommitResult?> AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            if (file is not null)
            {
                await file.WriteAsync(bytes, cancellationToken);
            }

            return await _hash.AppendAsync(bytes, cancellationToken);
        }

        public override bool Verify()
        {
            file?.Dispose();
            return _hash.Verify();
        }

        public override Task<CommitResult> CommitAsync() => _hash.CommitAsync();

        public override ValueTask DisposeAsync()
        {
            file?.Dispose();
            return _hash.DisposeAsync();
        }
    }
}

/// <summary>Opens catalogs and histories.</summary>
internal static class SeedMetadataReading
{
    /// <summary>A history; or why there is none.</summary>
    public static async Task<Parsed<History>> ReadHistoryAsync(this ISeedMetadata metadata, ObjectKey key, CancellationToken cancellationToken)
    {
        await using Stream? wire = metadata.Open(key);
        return wire is null ? new Malformed($"the history {key} is missing") : await History.ReadAsync(wire, CatalogLimits.Default, cancellationToken);
    }

    /// <summary>A snapshot's catalogs.</summary>
    public static CatalogTree TreeOf(this ISeedMetadata metadata, ObjectKey rootCatalog) => new(rootCatalog, async (key, cancellationToken) =>
    {
        await using Stream? wire = metadata.Open(key);
        return wire is null ? new Malformed("the catalog is missing") : await Catalog.OpenAsync(wire, CatalogLimits.Default, cancellationToken);
    });
}
