using Breakwater.CacheStore;
using Breakwater.Proxy.Seeding.Format;

namespace Breakwater.Proxy.Seeding.Export;

/// <summary>Collects the keys of a bundle.</summary>
internal sealed class SeedKeys : ISeedVisitor
{
    /// <summary>All keys: carried, and inherited from bundles before.</summary>
    public HashSet<ObjectKey> Keys { get; } = [];

    /// <inheritdoc/>
    public ValueTask OnDocumentAsync(string name, byte[] bytes, long offset, CancellationToken cancellationToken)
    {
        if (name == SeedPath.Inherited)
        {
            Keys.UnionWith(InheritedList.Read(bytes, offset));
        }

        return default;
    }

    /// <inheritdoc/>
    public ValueTask OnObjectAsync(SeedPath path, string name, long length, long offset, CancellationToken cancellationToken)
    {
        Keys.Add(path.Key);
        return default;
    }

    /// <inheritdoc/>
    public ValueTask OnObjectBytesAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => default;

    /// <inheritdoc/>
    public ValueTask OnObjectEndAsync(CancellationToken cancellationToken) => default;

    /// <inheritdoc/>
    public void OnLink(SeedPath path)
    {
    }
}
