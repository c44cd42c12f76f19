using Breakwater.CacheStore;

namespace Breakwater.Proxy.Seeding.Import;

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
        return new Taker(key, key.Kind is ObjectKind.Catalog or ObjectKind.History ? File.Create(PathOf(key)) : null);
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
