using System.Buffers;
using System.Runtime.InteropServices;
using Breakwater.CacheStore.Disk;

namespace Breakwater.CacheStore.Log;

/// <summary>Reads whole entries for the cleaner, the scrubber and recovery, and checks them. Not thread-safe.</summary>
internal sealed class EntryReader(SegmentSet segments) : IDisposable
{
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(EntryHeader.SizeBytes + PartSize.Full);

    /// <summary>
    /// Reads the entry at an address: header and payload, valid until the next call. Empty: damaged, unreadable, or its segment is gone.
    /// Pages that were not in memory before do not stay there.
    /// </summary>
    public ReadOnlySpan<byte> Read(long address, int payloadLength)
    {
        int length = EntryHeader.SizeBytes + payloadLength;
        if (!segments.TryAcquire(address, out Segment? segment))
        {
            return default;
        }

        try
        {
            Span<byte> entry = Reserve(length);
            long offset = segments.OffsetOf(address) + BlobLog.LengthPrefixBytes;
            bool wasInMemory = segments.Disk.TryRead(segment.Handle, entry, offset) == length;
            if (!wasInMemory)
            {
                if (segments.Disk.ReadFully(segment.Handle, entry, offset) != length)
                {
                    return default;
                }

                segments.Disk.Advise(segment.Handle, offset, length, FileAdvice.DontNeed);
            }

            EntryHeader header = EntryHeader.Read(entry);
            return header.IsValid && header.Matches(entry[EntryHeader.SizeBytes..]) ? entry : default;
        }
        catch (IOException)
        {
            return default;
        }
        finally
        {
            segment.Release();
        }
    }

    /// <summary>The addresses of a sealed object's parts. Null: the seal is damaged, or not of this object.</summary>
    public long[]? ReadSeal(long address, in ObjectKey key, long objectLength)
    {
        ReadOnlySpan<byte> entry = Read(address, SealBytes(objectLength));
        if (entry.IsEmpty)
        {
            return null;
        }

        EntryHeader header = EntryHeader.Read(entry);
        return header.Kind == EntryKind.Seal && header.Key == key && header.ObjectLength == objectLength
            ? MemoryMarshal.Cast<byte, long>(entry[EntryHeader.SizeBytes..]).ToArray()
            : null;
    }

    /// <summary>Length of the list of parts of an object.</summary>
    public static int SealBytes(long objectLength) => PartSize.CountOf(objectLength) * sizeof(long);

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private Span<byte> Reserve(int length)
    {
        if (_buffer.Length < length)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = ArrayPool<byte>.Shared.Rent(length);
        }

        return _buffer.AsSpan(0, length);
    }
}
