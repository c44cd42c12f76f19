using Breakwater.CacheStore.Log;
using Microsoft.Extensions.Logging;

namespace Breakwater.CacheStore.Heads;

/// <summary>Finds all heads at a start: the log is read in order, full segments by their tables.</summary>
internal static class HeadRecovery
{
    /// <summary>The places of the heads in a log.</summary>
    public static HeadPlaces Load(BlobLog log, CommittedRange committed, ILogger logger)
    {
        SegmentSet segments = log.Segments;
        HeadPlaces places = new(segments.TableBytes() / TableRow.SizeBytes * 5 / 4);
        LogScanner scanner = new(segments, log.Geometry.PageSizeBits);
        TableReader table = new(segments);
        for (int id = segments.IdOf(committed.BeginAddress); segments.StartOf(id) < committed.UntilAddress; id++)
        {
            if (!segments.TryGet(id, out Segment? segment))
            {
                continue;
            }

            long start = segments.StartOf(id);
            long end = start + segments.SegmentBytes;
            if (end <= committed.UntilAddress && table.TryRead(id))
            {
                segment.HasTable = true;
                foreach (ref readonly TableRow row in table.Rows)
                {
                    Apply(places, row.Kind, row.Key, start + row.Offset, row.ObjectLength);
                }
            }
            else
            {
                foreach (ScannedEntry entry in scanner.Scan(start, Math.Min(end, committed.UntilAddress)))
                {
                    Apply(places, entry.Header.Kind, entry.Header.Key, entry.Address, entry.Header.ObjectLength);
                }
            }
        }

        if (scanner.DamagedPages + scanner.UnreadablePages > 0)
        {
            logger.LogWarning(
                "{Count} pages of the heads' log are damaged or cannot be read; what was in them is fetched again.",
                scanner.DamagedPages + scanner.UnreadablePages);
        }

        return places;
    }

    private static void Apply(HeadPlaces places, EntryKind kind, in ObjectKey key, long address, long payloadLength)
    {
        if (kind == EntryKind.Whole)
        {
            places.Set(key, new HeadPlace(address, payloadLength));
        }
        else if (kind == EntryKind.Removed)
        {
            places.Remove(key);
        }
    }
}
