using Breakwater.CacheStore.Log;

namespace Breakwater.CacheStore.Store;

/// <summary>
/// Memory of the calling thread for one entry of an object of at most <see cref="ObjectLease.MaxWholeBytes"/>; what was in it is lost.
/// Pinned: system calls read into it.
/// </summary>
internal static class LeaseScratch
{
    [ThreadStatic]
    private static byte[]? t_bytes;

    /// <summary>All of it.</summary>
    public static Span<byte> Bytes =>
        t_bytes ??= GC.AllocateUninitializedArray<byte>(ObjectLease.MaxWholeBytes + EntryHeader.SizeBytes, pinned: true);
}
