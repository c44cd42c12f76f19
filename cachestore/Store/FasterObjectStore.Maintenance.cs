using Breakwater.CacheStore.Index;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Scrubbing;

namespace Breakwater.CacheStore.Store;

/// <summary>What an operator asks of a store.</summary>
public sealed partial class FasterObjectStore
{
    /// <summary>
    /// Told of each stored object that was found damaged and forgotten, by the scrubber, the cleaner or a read; fetch it again when it is
    /// pinned. Must not block.
    /// </summary>
    public Action<ObjectKey>? Damaged { get; set; }

    /// <summary>
    /// Does another machine of the site keep this object as well? Then it makes room sooner, unless it is pinned or hot. Null: there is
    /// none. It must not wait.
    /// </summary>
    public Func<ObjectKey, bool>? IsElsewhere { get; set; }

    /// <summary>
    /// The objects that the store holds, in the order of the log. Read from the segments as it is enumerated: what changes meanwhile may or
    /// may not be seen.
    /// </summary>
    public IEnumerable<StoredObjectInfo> List()
    {
        SegmentSet segments = Log.Segments;
        LogScanner scanner = new(segments, Log.Geometry.PageSizeBits);
        foreach (int id in segments.FreshIds.Concat(segments.KeptIds))
        {
            long start = segments.StartOf(id);
            long end = id < SegmentSet.FirstKeptId
                ? Math.Min(start + segments.SegmentBytes, Log.CommittedUntilAddress)
                : start + segments.SegmentBytes;
            foreach (ScannedEntry entry in scanner.Scan(start, end))
            {
                if (entry.Header.Kind is EntryKind.Whole or EntryKind.Seal
                    && Index.TryGet(entry.Header.Key, out IndexEntry known) && known.Address == entry.Address)
                {
                    yield return new StoredObjectInfo(entry.Header.Key, known.Length, Pins.IsPinned(entry.Header.Key));
                }
            }
        }
    }

    /// <summary>One object as <see cref="List"/> shows it; null: it is not in the log.</summary>
    public StoredObjectInfo? Find(in ObjectKey key) =>
        Index.TryGet(key, out IndexEntry known) ? new StoredObjectInfo(key, known.Length, Pins.IsPinned(key)) : null;

    /// <summary>Reads and hashes every object once; of named slices the checksums are compared.</summary>
    /// <param name="bytesPerSecond">Null: as fast as the disk can; else at most so much, and only while the process is not busy.</param>
    /// <param name="isRepairing">Forget what is bad, so that it is fetched again? Else it is only reported.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    public async Task<ScrubReport> VerifyAsync(long? bytesPerSecond, bool isRepairing, CancellationToken cancellationToken = default)
    {
        ScrubPace? pace = bytesPerSecond is { } rate ? new ScrubPace(rate, Time) : null;
        ScrubReport own = await Task.Run(() => _scrubber.PassAsync(pace, isRepairing, cancellationToken), cancellationToken);
        if (_named is not { IsOpen: true })
        {
            return own;
        }

        ScrubReport named = await _named.VerifyAsync(bytesPerSecond, isRepairing, cancellationToken);
        return new ScrubReport(own.Objects + named.Objects, own.Bytes + named.Bytes, [.. own.Damaged, .. named.Damaged]);
    }

    /// <summary>Evicts by the store's own policy until its segments take at most so many bytes, or what is left is pinned.</summary>
    /// <returns>What they take now.</returns>
    public Task<long> EvictToAsync(long bytes, CancellationToken cancellationToken = default) =>
        Space.EvictToAsync(bytes, cancellationToken);
}
