using System.Diagnostics.CodeAnalysis;
using Breakwater.CacheStore.Index;
using Breakwater.CacheStore.Log;

namespace Breakwater.CacheStore.Store;

/// <summary>Opens objects that the index points to, and is what their leases read by. Thread-safe.</summary>
internal sealed class StoredObjects(ObjectTable table, SegmentSet segments, TimeProvider time)
{
    /// <summary>The files that leases read.</summary>
    public SegmentSet Segments { get; } = segments;

    /// <summary>What tells leases how long they may believe what they found right.</summary>
    public TimeProvider Time { get; } = time;

    /// <summary>What was read from the page cache a moment ago.</summary>
    public RecentReads RecentReads { get; } = new();

    /// <summary>Opens an object. False: a miss.</summary>
    public bool TryOpen(in ObjectKey key, [NotNullWhen(true)] out FasterObjectLease? lease)
    {
        lease = null;
        while (lease is null && table.TryGet(key, out IndexEntry entry))
        {
            lease = Open(key, entry); // null: it is forgotten now, or the cleaner moved it meanwhile
        }

        return lease is not null;
    }

    /// <summary>
    /// Opens an object of one part into a lease that was disposed. False: it is not durable yet, of several parts, or not here.
    /// </summary>
    public bool TryReopen(in ObjectKey key, FasterObjectLease recycled)
    {
        if (!recycled.IsOf(this) || table.IsStaged(key) || !table.TryGet(key, out IndexEntry entry) || entry.IsSealed
            || !Segments.TryAcquire(entry.Address, out Segment? segment))
        {
            return false;
        }

        segment.CountUse(entry.Ordinal);
        recycled.Rebind(key, entry, segment);
        return true;
    }

    /// <summary>A lease found its object damaged.</summary>
    public void Forget(in ObjectKey key, long address, string reason) => table.Forget(key, address, reason);

    private FasterObjectLease? Open(in ObjectKey key, in IndexEntry entry)
    {
        if (!Segments.TryAcquire(entry.Address, out Segment? segment))
        {
            Forget(key, entry.Address, "its segment is gone");
            return null;
        }

        segment.CountUse(entry.Ordinal);
        if (!entry.IsSealed)
        {
            return new FasterObjectLease(this, key, entry, segment, null, null);
        }

        Extents? extents = table.Extents.Find(entry.Address) ?? LoadExtents(key, entry);
        if (extents is not null && TryAcquireAll(extents.Addresses) is { } partSegments)
        {
            return new FasterObjectLease(this, key, entry, segment, extents, partSegments);
        }

        segment.Release();
        Forget(key, entry.Address, "some of its parts are gone");
        return null;
    }

    private Extents? LoadExtents(in ObjectKey key, in IndexEntry entry)
    {
        using EntryReader reader = new(Segments);
        return reader.ReadSeal(entry.Address, key, entry.Length) is { } parts ? table.Extents.Add(entry.Address, parts) : null;
    }

    private Segment[]? TryAcquireAll(long[] addresses)
    {
        List<Segment> held = [];
        int last = -1;
        foreach (long address in addresses)
        {
            int id = Segments.IdOf(address);
            if (id == last || held.Exists(segment => segment.Id == id))
            {
                continue;
            }

            if (!Segments.TryAcquire(address, out Segment? segment))
            {
                held.ForEach(static s => s.Release());
                return null;
            }

            held.Add(segment);
            last = id;
        }

        return [.. held];
    }
}
