namespace Breakwater.CacheStore.Log;

/// <summary>
/// Entries of kept segments that have no table. A segment is filled until its process ends, and may end in what was never flushed: whole,
/// torn, or whole in memory only. No commit record says where that begins, so each entry is looked at. Not thread-safe.
/// </summary>
internal sealed class UnprovedEntries(SegmentSet segments) : IDisposable
{
    private readonly EntryReader _reader = new(segments);

    /// <summary>
    /// Is what lies at an address known to be durable? A commit covers fresh entries; the table of a kept segment lists those to which the
    /// index pointed.
    /// </summary>
    public bool IsProved(long address) =>
        !SegmentSet.IsKept(segments.IdOf(address))
        || (segments.TryGet(segments.IdOf(address), out Segment? segment) && segment.HasTable);

    /// <summary>
    /// Makes durable what is right: a killed process may have left it in the system's memory alone, and the cleaner gives up other copies
    /// for its sake.
    /// </summary>
    public void Sync(Segment segment)
    {
        try
        {
            segments.Disk.Sync(segment.Handle);
        }
        catch (IOException)
        {
            // whoever writes next is told, and nothing is given up while the disk refuses writes
        }
    }

    /// <summary>Has an object that is whole here, or whose seal is, all of its bytes?</summary>
    public bool IsRight(in ScannedEntry entry)
    {
        EntryHeader header = entry.Header;
        return header.Kind switch
        {
            EntryKind.Whole => !_reader.Read(entry.Address, header.PayloadLength).IsEmpty,
            EntryKind.Seal => _reader.ReadSeal(entry.Address, header.Key, header.ObjectLength) is { } parts
                && AreRight(header.Key, header.ObjectLength, parts),
            _ => false,
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _reader.Dispose();

    private bool AreRight(in ObjectKey key, long objectLength, long[] parts)
    {
        for (int i = 0; i < parts.Length; i++)
        {
            if (IsProved(parts[i]) ? !segments.TryGet(segments.IdOf(parts[i]), out _) : !IsPart(parts[i], key, objectLength, i))
            {
                return false;
            }
        }

        return true;
    }

    private bool IsPart(long address, in ObjectKey key, long objectLength, int part)
    {
        ReadOnlySpan<byte> entry = _reader.Read(address, PartSize.Of(objectLength, part));
        return !entry.IsEmpty && EntryHeader.WhatIsWrong(entry, EntryKind.Part, key, part) is null;
    }
}
