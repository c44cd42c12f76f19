namespace Breakwater.CacheStore.Faster;

/// <summary>What a start found.</summary>
/// <param name="Objects">Objects that the store holds.</param>
/// <param name="DamagedPages">Pages of the log that hold damage; what was behind it in the page is lost.</param>
/// <param name="MissingSegments">Segment files that should be there and are not.</param>
/// <param name="LostObjects">Objects whose parts are known to be lost.</param>
public sealed record StoreRecovery(long Objects, int DamagedPages, int MissingSegments, long LostObjects);

/// <summary>Rebuilds the index from the log: the log is the truth.</summary>
internal static class Recovery
{
    public static StoreRecovery Run(BlobLog log, CommittedRange range, ObjectIndex index)
    {
        LogScanner scanner = new(log.Segments, log.Geometry.PageSizeBits);
        foreach (ScannedEntry entry in scanner.Scan(range.BeginAddress, range.UntilAddress))
        {
            switch (entry.Header.Kind)
            {
                case EntryKind.Whole:
                case EntryKind.Seal:
                    uint ordinal = log.Segments.GetOrCreate(log.Segments.IdOf(entry.Address)).AddEntry(isChecked: false);
                    index.Set(entry.Header.Key, new IndexEntry(entry.Address, entry.Header.ObjectLength, entry.Header.Kind == EntryKind.Seal, ordinal));
                    break;
                case EntryKind.Removed:
                    index.Remove(entry.Header.Key, -1);
                    break;
                default:
                    break; // parts count by their seal only
            }
        }

        return new StoreRecovery(index.Count, scanner.DamagedPages, scanner.MissingSegments, 0);
    }
}
