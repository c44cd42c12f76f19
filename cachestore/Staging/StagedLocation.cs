using System.Buffers;
using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Log;

namespace Breakwater.CacheStore.Staging;

/// <summary>Where wanted bytes of a staged object are: in memory, or in a file, where they are checked as they are read.</summary>
/// <param name="Buffer">Held by the caller; null: in a file.</param>
/// <param name="Start">The first byte's place in its part.</param>
/// <param name="Length">How many there are.</param>
/// <param name="Segment">The file.</param>
/// <param name="FileOffset">Where the first byte is in it.</param>
/// <param name="PartBytes">Length of the part in the file.</param>
internal readonly record struct StagedLocation(StagedBuffer? Buffer, int Start, int Length, Segment? Segment, long FileOffset,
    int PartBytes = 0)
{
    private int EntryBytes => EntryHeader.SizeBytes + PartBytes;

    private long EntryOffset => FileOffset - Start - EntryHeader.SizeBytes;

    /// <summary>Reads what the page cache has. −1: not all of it.</summary>
    /// <exception cref="ObjectDamagedException">The part is not what was written.</exception>
    public int TryReadAndCheck(StoreDisk disk, in ObjectKey key, Span<byte> destination)
    {
        byte[] rented = ArrayPool<byte>.Shared.Rent(EntryBytes);
        try
        {
            Span<byte> entry = rented.AsSpan(0, EntryBytes);
            return disk.TryRead(Segment!.Handle, entry, EntryOffset) == entry.Length ? CheckAndCopy(key, entry, destination) : -1;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>As <see cref="TryReadAndCheck"/>, from the disk.</summary>
    /// <exception cref="IOException">The part is not what was written, or cannot be read.</exception>
    public async ValueTask<int> ReadAndCheckAsync(StoreDisk disk, ObjectKey key, Memory<byte> destination,
        CancellationToken cancellationToken)
    {
        byte[] rented = ArrayPool<byte>.Shared.Rent(EntryBytes);
        try
        {
            int read = 0;
            for (int n = 1; read < EntryBytes && n > 0; read += n)
            {
                n = await disk.ReadAsync(Segment!.Handle, rented.AsMemory(read, EntryBytes - read), EntryOffset + read, cancellationToken);
            }

            return CheckAndCopy(key, rented.AsSpan(0, read), destination.Span);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private int CheckAndCopy(in ObjectKey key, ReadOnlySpan<byte> entry, Span<byte> destination)
    {
        string? wrong = entry.Length < EntryBytes
            ? "the segment file is too short"
            : EntryHeader.WhatIsWrong(entry, EntryHeader.Read(entry).Kind, key, EntryHeader.Read(entry).Part);
        if (wrong is not null)
        {
            throw new ObjectDamagedException(key, wrong);
        }

        entry.Slice(EntryHeader.SizeBytes + Start, Length).CopyTo(destination);
        return Length;
    }
}
