using Breakwater.CacheStore.Index;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Quotas;
using Microsoft.Extensions.Logging;

namespace Breakwater.CacheStore.Store;

/// <summary>
/// Rebuilds the index from the log: the log is the truth. The tables of full segments make it quick, damaged ones make it slow, none make
/// it wrong. While one table goes into the index, the next one is read.
/// </summary>
internal sealed class Recovery(BlobLog log, ObjectIndex index, StoreShares shares, ILogger logger)
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
        using (IndexLoader loader = index.BeginLoad())
        {
            Load(loader, Segments(committed), committed.UntilAddress);
        }

        if (_unreadable > 0)
        {
            logger.LogError("{Count} segment files could not be read; their objects are fetched again when they are asked for.",
                _unreadable);
        }

        StoreRecovery found =
            new(index.Count, _tablesRead, _segmentsScanned, _scanner.DamagedPages + _scanner.UnreadablePages, _missing + _unreadable,
            _lost);
        if (found.DamagedPages + found.MissingSegments > 0)
        {
            logger.LogWarning(
                "The store was damaged and opened with what is good: {Recovery}. What is lost is fetched again when it is asked for.",
                found);
        }

        return found;
    }

    /// <summary>In the order in which later entries win: fresh ones, then kept ones.</summary>
    private List<Segment> Segments(CommittedRange committed)
    {
        List<Segment> found = [];
        for (int id = _segments.IdOf(committed.BeginAddress); _segments.StartOf(id) < committed.UntilAddress; id++)
        {
            if (_segments.TryGet(id, out Segment? segment))
            {
                found.Add(segment);
            }
        }

        foreach (int id in _segments.KeptIds)
        {
            if (_segments.TryGet(id, out Segment? segment))
            {
                found.Add(segment);
            }
        }

        return found;
    }

    private void Load(IndexLoader loader, List<Segment> segments, long until)
    {
        TableReader table = new(_segments);
        TableReader next = new(_segments);
        Task<bool> reading = ReadTable(0);
        for (int i = 0; i < segments.Count; i++)
        {
            bool hasTable = reading.GetAwaiter().GetResult();
            (table, next) = (next, table);
            reading = ReadTable(i + 1);
            try
            {
                if (hasTable)
                {
                    LoadTable(loader, segments[i], table.Rows);
                }
                else
                {
                    Scan(loader, segments[i], until);
                }
            }
            catch (IOException failure)
            {
                _unreadable++;
                logger.LogWarning(failure, "Segment {Segment} cannot be read.", segments[i].Id);
            }
        }

        Task<bool> ReadTable(int i)
        {
            TableReader reader = next;
            return i < segments.Count && (SegmentSet.IsKept(segments[i].Id) || _segments.StartOf(segments[i].Id + 1) <= until)
                ? Task.Run(() => reader.TryRead(segments[i].Id))
                : Task.FromResult(false);
        }
    }

    private void LoadTable(IndexLoader loader, Segment segment, ReadOnlySpan<TableRow> rows)
    {
        _tablesRead++;
        segment.HasTable = true;
        long start = _segments.StartOf(segment.Id);
        uint ordinal = segment.AddEntries(rows.Length);
        while (!rows.IsEmpty)
        {
            ReadOnlySpan<TableRow> batch = rows[..Math.Min(rows.Length, IndexLoader.BatchKeys)];
            loader.Touch(batch);
            foreach (ref readonly TableRow row in batch)
            {
                bool isWhole = row.Kind == EntryKind.Whole || (row.Kind == EntryKind.Seal && row.Parts.IsWhollyIn(_segments));
                Apply(loader, segment, row.Kind, isWhole, row.Key, start + row.Offset, row.ObjectLength, row.Mark, ordinal++);
            }

            rows = rows[batch.Length..];
        }
    }

    private void Scan(IndexLoader loader, Segment segment, long until)
    {
        _segmentsScanned++;
        long start = _segments.StartOf(segment.Id);
        long end = start + _segments.SegmentBytes;
        if (SegmentSet.IsKept(segment.Id))
        {
            ScanKept(loader, segment, start, end);
            return;
        }

        foreach (ScannedEntry entry in _scanner.Scan(start, Math.Min(until, end)))
        {
            EntryHeader header = entry.Header;
            Apply(loader, segment, header.Kind, header.Kind == EntryKind.Whole, header.Key, entry.Address, header.ObjectLength,
                header.Mark, segment.AddEntry());
        }
    }

    /// <summary>
    /// The power, or the process, may have gone while the cleaner was writing: what it copied is still where it was copied from then, and a
    /// copy of which half is missing must not stand in for that.
    /// </summary>
    private void ScanKept(IndexLoader loader, Segment segment, long start, long end)
    {
        using UnprovedEntries unproved = new(_segments);
        unproved.Sync(segment);
        foreach (ScannedEntry entry in _scanner.Scan(start, end))
        {
            EntryHeader header = entry.Header;
            bool isKnown = loader.TryGet(header.Key, out IndexEntry known) && unproved.IsProved(known.Address);
            if (!isKnown && unproved.IsRight(entry))
            {
                Apply(loader, segment, header.Kind, isWhole: true, header.Key, entry.Address, header.ObjectLength, header.Mark,
                    segment.AddEntry());
            }
        }
    }

    /// <summary>Follows one entry. A seal counts when its parts are known to be there (isWhole), else it is asked.</summary>
    private void Apply(IndexLoader loader, Segment segment, EntryKind kind, bool isWhole, in ObjectKey key, long address, long objectLength,
        ushort mark, uint ordinal)
    {
        switch (kind)
        {
            case EntryKind.Whole:
            case EntryKind.Seal when isWhole || HasAllParts(key, address, objectLength):
                if (_removed.Count > 0 && SegmentSet.IsKept(segment.Id) && _removed.Contains(key))
                {
                    break; // the removal is in the fresh log, which is read first
                }

                loader.Set(key, new IndexEntry(address, objectLength, kind == EntryKind.Seal, ordinal, shares.NumberOf(mark)));
                if (_removed.Count > 0)
                {
                    _removed.Remove(key);
                }

                break;
            case EntryKind.Removed:
                loader.Remove(key);
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
        for (int id = _segments.IdOf(committed.BeginAddress);
            Math.Max(_segments.StartOf(id), BlobLog.FirstAddress) < committed.UntilAddress; id++)
        {
            if (!_segments.TryGet(id, out _))
            {
                _missing++;
            }
        }

        foreach (int id in _segments.TablesWithoutSegment())
        {
            _missing += SegmentSet.IsKept(id) ? 1 : 0;
            TableReader table = new(_segments);
            _lost += table.TryRead(id) ? table.Rows.Length : 0;
            _segments.Disk.Delete(_segments.TablePathOf(id));
        }
    }
}
