using System.Diagnostics.CodeAnalysis;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Pins;
using Breakwater.CacheStore.Quotas;
using Breakwater.CacheStore.Staging;
using Microsoft.Extensions.Logging;

namespace Breakwater.CacheStore.Index;

/// <summary>
/// The objects that the store holds: those that are verified and not durable yet, and those that the index points to. Once the index is
/// loaded nobody else writes to it; what is pinned, and what was counted, follows each of its changes. Thread-safe.
/// </summary>
internal sealed class ObjectTable(ObjectIndex index, BlobLog log, PinSets pins, StoreShares shares, Action<ObjectKey>? evicting,
    ILogger logger) : IDisposable
{
    private readonly StagedObjects _staged = new();
    private readonly SegmentSet _segments = log.Segments;
    private readonly Lock _writing = new(); // one writer of the index at a time

    /// <summary>Told of each object that was found damaged and is forgotten. Must not block.</summary>
    public Action<ObjectKey>? Damaged { get; set; }

    /// <summary>Which objects are pinned.</summary>
    public PinSets Pins => pins;

    /// <summary>On whose account objects go.</summary>
    public StoreShares Shares => shares;

    /// <summary>What happened to the objects since the start.</summary>
    public StoreCounters Counters { get; } = new();

    /// <summary>Where the parts of long objects are, as far as it was asked for.</summary>
    public ExtentCache Extents { get; } = new();

    /// <summary>Objects that the index points to.</summary>
    public long Count => index.Count;

    /// <summary>Where a durable object is. False: the index does not know it.</summary>
    public bool TryGet(in ObjectKey key, out IndexEntry entry) => index.TryGet(key, out entry);

    /// <summary>Finds an object whose entry is the one at this address. False: the index points to another entry, or to none.</summary>
    public bool TryGetAt(in ObjectKey key, long address, out IndexEntry entry) =>
        index.TryGet(key, out entry) && entry.Address == address;

    /// <summary>
    /// An object that is verified and not durable yet. Ask for it before <see cref="TryGet"/>: one that becomes durable meanwhile is found
    /// there, the other order could miss it in both.
    /// </summary>
    public bool TryGetStaged(in ObjectKey key, [NotNullWhen(true)] out StagedObject? staged) => _staged.TryGet(key, out staged);

    /// <summary>Is there one that is verified and not durable yet?</summary>
    public bool IsStaged(in ObjectKey key) => _staged.Contains(key);

    /// <summary>Does the store hold it, durable or not yet?</summary>
    public bool Contains(in ObjectKey key) => _staged.Contains(key) || index.TryGet(key, out _);

    /// <summary>
    /// The durable objects, in the order of the log. Read from the segments as it is enumerated: what changes meanwhile may or may not be
    /// seen.
    /// </summary>
    public IEnumerable<StoredObjectInfo> List()
    {
        LogScanner scanner = new(_segments, log.Geometry.PageSizeBits);
        foreach (int id in _segments.FreshIds.Concat(_segments.KeptIds))
        {
            long start = _segments.StartOf(id);
            long end = start + _segments.SegmentBytes;
            end = SegmentSet.IsKept(id) ? end : Math.Min(end, log.CommittedUntilAddress);
            foreach (ScannedEntry entry in scanner.Scan(start, end))
            {
                if (entry.Header.Kind is EntryKind.Whole or EntryKind.Seal
                    && TryGetAt(entry.Header.Key, entry.Address, out IndexEntry known))
                {
                    yield return new StoredObjectInfo(entry.Header.Key, known.Length, pins.IsPinned(entry.Header.Key));
                }
            }
        }
    }

    /// <summary>One object as <see cref="List"/> shows it; null: the index does not know it.</summary>
    public StoredObjectInfo? Find(in ObjectKey key) =>
        index.TryGet(key, out IndexEntry known) ? new StoredObjectInfo(key, known.Length, pins.IsPinned(key)) : null;

    /// <summary>Makes a verified object visible. False: it is here already; <paramref name="earlier"/> when not durable yet.</summary>
    public bool TryPublish(StagedObject staged, out StagedObject? earlier)
    {
        earlier = null;
        if (index.TryGet(staged.Key, out _))
        {
            return false;
        }

        StagedObject winner = _staged.GetOrAdd(staged);
        earlier = ReferenceEquals(winner, staged) ? null : winner;
        return earlier is null;
    }

    /// <summary>A verified object is not to be found as such any more: the index points to it, or it is not stored.</summary>
    public void Unpublish(StagedObject staged) => _staged.Remove(staged);

    /// <summary>An object is durable: the index points to it from now on, unless it was removed meanwhile.</summary>
    /// <param name="commit">The object and its place.</param>
    /// <param name="frequency">How often it counts as asked for.</param>
    public void Enter(in PendingCommit commit, int frequency)
    {
        StagedObject staged = commit.Staged;
        uint ordinal = _segments.GetOrCreate(_segments.IdOf(commit.Address)).AddEntry(frequency);
        lock (_writing)
        {
            if (!_staged.TryGet(staged.Key, out StagedObject? current) || !ReferenceEquals(current, staged))
            {
                return;
            }

            if (commit.IsSealed)
            {
                Extents.Add(commit.Address, staged.Parts.Addresses());
            }

            // by a second writer that looked before the first one was done
            bool isStoredAgain = index.TryGet(staged.Key, out IndexEntry earlier);
            int owner = shares.NumberOf(commit.Mark);
            index.Set(staged.Key, new IndexEntry(commit.Address, staged.Length, commit.IsSealed, ordinal, owner),
                isStoredAgain ? earlier : null);
            if (!isStoredAgain)
            {
                pins.OnStored(staged.Key, staged.Length);
            }

            Counters.AddStored(staged.Length);
        }
    }

    /// <summary>The cleaner wrote an object to a new place.</summary>
    public void Relocate(in Move move)
    {
        lock (_writing)
        {
            if (!TryGetAt(move.Key, move.From.Address, out IndexEntry entry))
            {
                return; // removed while it was being copied, and perhaps stored again: the log says so behind the copied entry
            }

            uint ordinal = _segments.GetOrCreate(_segments.IdOf(move.ToAddress)).AddEntry(move.Frequency);
            index.Set(move.Key, new IndexEntry(move.ToAddress, entry.Length, entry.IsSealed, ordinal, entry.Owner), entry);
        }

        Counters.AddRewritten(move.From.Length);
    }

    /// <summary>The cleaner drops an object. False: it was gone or elsewhere.</summary>
    public bool Evict(in ObjectKey key, in IndexEntry entry)
    {
        evicting?.Invoke(key);
        if (!Drop(key, entry.Address))
        {
            return false;
        }

        Counters.CountEvicted();
        return true;
    }

    /// <summary>Forgets an object, durable or not. False: it was not there.</summary>
    public bool Remove(in ObjectKey key)
    {
        bool wasStaged = _staged.Remove(key);
        return Drop(key, -1) || wasStaged;
    }

    /// <summary>The object at an address turned out to be damaged: it is a miss from now on.</summary>
    public void Forget(in ObjectKey key, long address, string reason)
    {
        if (Drop(key, address))
        {
            Counters.CountDamaged();
            logger.LogWarning("The store forgot object {Key} at {Address}: {Reason}. It is fetched again when it is asked for.", key,
                address, reason);
            Damaged?.Invoke(key);
        }
    }

    /// <summary>How often an object was asked for since its entry was written.</summary>
    public int FrequencyOf(in IndexEntry entry) =>
        _segments.TryGet(_segments.IdOf(entry.Address), out Segment? segment) ? segment.FrequencyOf(entry.Ordinal) : 0;

    /// <summary>Sets what <see cref="FrequencyOf"/> says.</summary>
    public void SetFrequency(in IndexEntry entry, int frequency)
    {
        if (_segments.TryGet(_segments.IdOf(entry.Address), out Segment? segment))
        {
            segment.SetFrequency(entry.Ordinal, frequency);
        }
    }

    /// <summary>Drops what the index remembers of objects that are gone, when it is much. One caller at a time.</summary>
    public void DropPast() => index.DropPast();

    /// <inheritdoc/>
    public void Dispose() => index.Dispose();

    /// <summary>Takes an object out of the index when it is at an address (−1: wherever it is). False: it is not.</summary>
    private bool Drop(in ObjectKey key, long address)
    {
        lock (_writing)
        {
            if (!index.TryGet(key, out IndexEntry entry) || !index.Remove(key, address))
            {
                return false;
            }

            pins.OnGone(key, entry.Length);
            return true;
        }
    }
}
