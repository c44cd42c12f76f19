using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>A store for the tests of one class: each takes names of its own.</summary>
public sealed class SliceStore : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private FasterObjectStore _store = null!;

    internal FasterObjectStore Store => _store;

    internal NamedStore Named => _store.Named;

    /// <summary>Changes a byte of what the disk has of an object that is durable.</summary>
    internal void Damage(SyntheticObject item, int at)
    {
        ReadOnlySpan<byte> start = item.Bytes.AsSpan(0, 64);
        foreach (string path in Directory.GetFiles(_directory.Combine("store", "objects"), "*.seg"))
        {
            byte[] segment = new byte[new FileInfo(path).Length];
            using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            file.ReadExactly(segment);
            int begin = segment.AsSpan().IndexOf(start);
            if (begin >= 0)
            {
                file.Position = begin + at;
                file.WriteByte((byte)(item.Bytes[at] ^ 1));
                return;
            }
        }

        throw new InvalidOperationException("No segment has it.");
    }

    public async Task InitializeAsync() =>
        _store = await FasterObjectStore.OpenAsync(new CacheStore.StoreOptions { Path = _directory.Combine("store") });

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
    }
}
