using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Breakwater.CacheStore;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>A store that counts who reads from it, takes nothing, or has its disk wait or fail, if it is told so.</summary>
internal sealed class WatchedSlices(IObjectStore inner) : IObjectStore
{
    /// <summary>The bytes of no slice of these tests.</summary>
    private static readonly ObjectKey s_another = new(SHA1.HashData("another"u8), DigestAlgorithm.Sha1, ObjectKind.Plain);

    /// <summary>Leases that were handed out and not returned.</summary>
    public int Leases { get; private set; }

    /// <summary>Does it take what is written?</summary>
    public bool TakesAll { get; init; } = true;

    /// <summary>What happens before bytes are read, which are on disk then; null: they are in memory.</summary>
    public Func<Task>? BeforeRead { get; init; }

    public long MaxObjectBytes => inner.MaxObjectBytes;

    public CancellationToken Refusing => inner.Refusing;

    public bool TryOpen(in ObjectKey key, [NotNullWhen(true)] out ObjectLease? lease)
    {
        lease = inner.TryOpen(key, out ObjectLease? found) ? new Lease(this, found) : null;
        Leases += lease is null ? 0 : 1;
        return lease is not null;
    }

    public bool TryReopen(in ObjectKey key, [NotNullWhen(true)] ref ObjectLease? lease) => TryOpen(key, out lease);

    public bool Contains(in ObjectKey key) => inner.Contains(key);

    public ObjectWriter BeginWrite(in ObjectKey key, long? expectedLength, ushort mark = 0) =>
        inner.BeginWrite(TakesAll ? key : s_another, expectedLength, mark);

    public bool Remove(in ObjectKey key) => inner.Remove(key);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Lease(WatchedSlices store, ObjectLease inner) : ObjectLease
    {
        public override ObjectKey Key => inner.Key;

        public override long Length => inner.Length;

        public override int TryRead(long offset, Span<byte> buffer) =>
            store.BeforeRead is null || offset >= Length ? inner.TryRead(offset, buffer) : -1;

        public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await (store.BeforeRead?.Invoke() ?? Task.CompletedTask);
            return await inner.ReadAsync(offset, buffer, cancellationToken);
        }

        public override bool TryReadWhole(out ReadOnlySpan<byte> bytes) => inner.TryReadWhole(out bytes);

        public override bool TryGetFileRange(long offset, out ObjectFileRange range) => inner.TryGetFileRange(offset, out range);

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            store.Leases--;
        }
    }
}
