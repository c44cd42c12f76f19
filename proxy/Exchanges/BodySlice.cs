using System.Buffers.Binary;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;

namespace Breakwater.Proxy.Exchanges;

/// <summary>A body is stored in slices of one size; the last one is as long as what is left.</summary>
internal static class BodySlice
{
    /// <summary>1 MiB: small enough that a range of a few bytes costs little, large enough that a big file has few entries.</summary>
    public const int SizeBytes = 1 << 20;

    /// <summary>Where the slice begins that has the byte at this offset.</summary>
    public static long StartOf(long offset) => offset / SizeBytes * SizeBytes;

    /// <summary>The key of a slice in the store.</summary>
    /// <param name="bodyId">Identity of the whole body.</param>
    /// <param name="index">Number of the slice, from 0.</param>
    public static ObjectKey KeyOf(ReadOnlySpan<byte> bodyId, long index)
    {
        Span<byte> name = stackalloc byte[bodyId.Length + sizeof(long)];
        bodyId.CopyTo(name);
        BinaryPrimitives.WriteInt64LittleEndian(name[bodyId.Length..], index);
        return NamedKey.Of(name);
    }

    /// <summary>Does the store hold the slice that has the byte at this offset of a body?</summary>
    public static bool IsStored(IObjectStore store, ReadOnlySpan<byte> bodyId, long offset) =>
        store.Contains(KeyOf(bodyId, offset / SizeBytes));
}
