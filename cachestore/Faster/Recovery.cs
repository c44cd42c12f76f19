using Microsoft.Extensions.Logging;

namespace Breakwater.CacheStore.Faster;

/// <summary>What a start found.</summary>
/// <param name="Objects">Objects that the store holds.</param>
/// <param name="TablesRead">Full segments whose table was used.</param>
/// <param name="SegmentsScanned">Segments that were read themselves.</param>
/// <param name="DamagedPages">Pages of the log that hold damage; what was behind it in the page is lost.</param>
/// <param name="MissingSegments">Segment files that should be there and are not, or cannot be read.</param>
/// <param name="LostObjects">Objects that are known to be lost with them.</param>
public sealed record StoreRecovery(long Objects, int TablesRead, int SegmentsScanned, int DamagedPages, int MissingSegments, long LostObjects);

/// <summary>Rebuilds the index from the log: the log is the truth. The tables of full segments make it quick, damaged ones make it slow, none make it wrong.</summary>
internal sealed class Recovery(BlobLog log, ObjectIndex index, ILogger logger)
{
    private readonly SegmentSet _segments = log.Segments;
    private readonly LogScanner _scanner = new(log.Segments, log.Geometry.PageSizeBits);
    private readonly HashSet<ObjectKey> _removed = [];
    private int _tablesRead;
    private int _segmentsScanned;
    private int _missing;
    private int _unreadable;
    private long _lost;

    /// <summary>Fills the index.</summary>
    /// <param name="committed">What is durable of the fresh log.</param>
    public StoreRecovery Run(CommittedRange committed)
    {
        CountLost(committed);
        int first = _segments.IdOf(committed.BeginAddress);
        for (int id = first; _segments.StartOf(id) < committed.UntilAddress; id++)
        {
            RecoverSegment(id, committed.UntilAddress);
        }

        foreach (int id in _segments.KeptIds)
        {
            RecoverSegment(id, long.MaxValue);
        }

        if (_unreadable > 0)
        {
            logger.LogError("{Count} segment files could not be read; their objects are fetched again when they are asked for.", _unreadable);
        }

        StoreRecovery found = new(index.Count, _tablesRead, _segmentsScanned, _scanner.DamagedPages, _missing + _unreadable, _lost);
        if (found.DamagedPages + found.MissingSegments > 0)
        {
            logger.LogWarning("The store was damaged and opened with what is good: {Recovery}. What is lost is fetched again when it is asked for.", found);
        }

        return found;
    }

    private void RecoverSegment(int id, long until)
    {
        if (!_segments.TryGet(id, out Segment? segment))
        {
            return;
        }

        try
        {
            RecoverSegment(segment, until);
        }
        catch (IOException failure)
        {
            _unreadable++;
            logger.LogWarning(failure, "Segment {Segment} cannot be read.", id);
        }
    }

    private void RecoverSegment(Segment segment, long until)
    {
        int id = segment.Id;
        long start = _segments.StartOf(id);
        long end = start + _segments.SegmentBytes;
        if (end <= until && SegmentTable.TryRead(_segments, id) is { } rows)
        {
            _tablesRead++;
            segment.HasTable = true;
            foreach (ref readonly TableRow row in rows.AsSpan())
            {
                Apply(segment, row.Kind, row.Key, start + row.Offset, row.ObjectLength);
            }

            return;
        }

        _segmentsScanned++;
        foreach (ScannedEntry entry in _scanner.Scan(start, Math.Min(until, end)))
        {
            Apply(segment, entry.Header.Kind, entry.Header.Key, entry.Address, entry.Header.ObjectLength);
        }
    }

    private void Apply(Segment segment, EntryKind kind, in ObjectKey key, long address, long objectLength)
    {
        bool isKept = segment.Id >= SegmentSet.FirstKeptId;
        switch (kind)
        {
            case EntryKind.Whole:
            case EntryKind.Seal when HasAllParts(key, address, objectLength):
                if (_removed.Count > 0 && isKept && _removed.Contains(key))
                {
                    break; // the removal is in the fresh log, which is read first
                }

                index.Set(key, new IndexEntry(address, objectLength, kind == EntryKind.Seal, segment.AddEntry(isChecked: false)));
                if (_removed.Count > 0)
                {
                    _removed.Remove(key);
                }

                break;
            case EntryKind.Removed:
                index.Remove(key, -1);
                _removed.Add(key);
                break;
            default:
                break; // parts count by their seal only
        }
    }

    /// <summary>A seal is void when a segment of its parts is gone: cleaned after the object was dropped, or lost.</summary>
    private bool HasAllParts(in ObjectKey key, long address, long objectLength)
    {
        using EntryReader reader = new(_segments);
        long[]? parts = reader.ReadSeal(address, key, objectLength);
        return parts is not null && Array.TrueForAll(parts, part => _segments.TryGet(_segments.IdOf(part), out _));
    }

    /// <summary>Fresh segments are consecutive: gaps are losses. A kept segment deletes its table first: a table alone is a loss.</summary>
    private void CountLost(CommittedRange committed)
    {
        for (int id = _segments.IdOf(committed.BeginAddress); Math.Max(_segments.StartOf(id), BlobLog.FirstAddress) < committed.UntilAddress; id++)
        {
            if (!_segments.TryGet(id, out _))
            {
                _missing++;
            }
        }

        foreach (int id in _segments.TablesWithoutSegment())
        {
            _missing += id >= SegmentSet.FirstKeptId ? 1 : 0;
            _lost += SegmentTable.TryRead(_segments, id)?.Length ?? 0;
            _segments.Disk.Delete(_segments.TablePathOf(id));
        }
    }
}
