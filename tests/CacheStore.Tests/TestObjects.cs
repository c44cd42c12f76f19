using Breakwater.CacheStore.Hashing;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;

namespace Breakwater.CacheStore.Tests;

/// <summary>Bytes that follow from a seed, with the key that they hash to.</summary>
internal static class TestObjects
{
    public static byte[] Bytes(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static ObjectKey KeyOf(ReadOnlySpan<byte> bytes, DigestAlgorithm algorithm = DigestAlgorithm.Sha1,
        ObjectKind kind = ObjectKind.Plain) =>
        new(ObjectHasher.Hash(algorithm, bytes), algorithm, kind);

    public static async Task<CommitResult> WriteAsync(this IObjectStore store, ObjectKey key, byte[] bytes, int sliceBytes = 64 << 10,
        bool lengthKnown = true, ushort mark = 0)
    {
        await using ObjectWriter writer = store.BeginWrite(key, lengthKnown ? bytes.Length : null, mark);
        for (int at = 0; at < bytes.Length; at += sliceBytes)
        {
            CommitResult? refusal = await writer.AppendAsync(bytes.AsMemory(at, Math.Min(sliceBytes, bytes.Length - at)));
            if (refusal is not null)
            {
                return refusal.Value;
            }
        }

        writer.Verify();
        return await writer.CommitAsync();
    }

    /// <summary>Waits until the store has made what room it wants: two rounds in vain, as one may have begun before that.</summary>
    public static async Task RoomIsMadeAsync(this FasterObjectStore store)
    {
        for (int inVain = 0; inVain < 2;)
        {
            inVain = await store.Space.ProgressAsync().InTimeAsync() ? 0 : inVain + 1;
        }
    }

    public static async Task<byte[]?> ReadAsync(this IObjectStore store, ObjectKey key)
    {
        if (!store.TryOpen(key, out ObjectLease? lease))
        {
            return null;
        }

        using (lease)
        {
            return await ReadAllAsync(lease);
        }
    }

    public static async Task<byte[]> ReadAllAsync(ObjectLease lease, int bufferBytes = 100_000)
    {
        byte[] all = new byte[lease.Length];
        byte[] buffer = new byte[bufferBytes];
        for (long offset = 0; offset < lease.Length;)
        {
            int n = lease.TryRead(offset, buffer);
            if (n < 0)
            {
                n = await lease.ReadAsync(offset, buffer);
            }

            Assert.True(n > 0);
            buffer.AsSpan(0, n).CopyTo(all.AsSpan((int)offset));
            offset += n;
        }

        Assert.Equal(0, lease.TryRead(lease.Length, buffer));
        return all;
    }
}
