using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;

namespace Breakwater.Proxy.Seeding.Import;

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
