using System.Runtime.InteropServices;

namespace Breakwater.CacheStore.Log;

/// <summary>Makes whole entries, header and payload in one array.</summary>
internal static class Entries
{
    /// <summary>The seal of an object: where its parts are.</summary>
    public static byte[] Seal(in ObjectKey key, long objectLength, long[] parts, ushort mark)
    {
        byte[] entry = new byte[EntryHeader.SizeBytes + (parts.Length * sizeof(long))];
        Span<byte> list = entry.AsSpan(EntryHeader.SizeBytes);
        MemoryMarshal.AsBytes(parts.AsSpan()).CopyTo(list);
        new EntryHeader(EntryKind.Seal, key, objectLength, parts.Length, list, mark).Write(entry);
        return entry;
    }
}
