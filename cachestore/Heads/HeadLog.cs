using System.Buffers;
using System.Collections.Concurrent;
using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Log;
using Microsoft.Extensions.Logging;

namespace Breakwater.CacheStore.Heads;

/// <summary>
/// Heads in a log of their own, which is read in order at a start: the newest entry of a name wins. Their places are in memory, they
/// themselves on disk. The oldest
/// segment makes room for the newest; what was asked for in it goes round once more. So no entry outlives one that replaced or removed it.
/// Why not among the objects: docs/develop/adr/0105-generic-bodies-have-a-store-of-their-own.md.
/// </summary>
internal sealed class HeadLog : IHeadStore, IAsyncDisposable
{
    /// <summary>How many there may be, with up to 43 bytes of memory each.</summary>
    public const int MostHeads = 1 << 20;

    /// <summary>What all of them and the log's pages take at most.</summary>
    public const long HeapBytes = (MostHeads * 64L) + (8 << 20); // while the table of places grows there are two

    /// <summary>Removals that the log had no room for; of more, a crash may bring some heads back.</summary>
    private const int MostOwed = 1 << 16;

    private readonly BlobLog _log;
    private readonly DiskHealth _health;
    private readonly HeadPlaces _places; // written under _writing
    private readonly ConcurrentDictionary<ObjectKey, StagedHead> _staged = new(); // written under _writing
    private readonly Queue<ObjectKey> _owed = []; // guarded by _writing
    private readonly Lock _writing = new(); // the log's entries and _places change in the same order
    private readonly HeadKeeper _keeper;

    private HeadLog(BlobLog log, HeadPlaces places, HeadLimits limits, DiskHealth health, TimeProvider time, ILogger logger)
    {
        _log = log;
        _places = places;
        _health = health;
        QuotaBytes = limits.QuotaBytes;
        _keeper = new HeadKeeper(this, log, limits, health, time, logger);
    }

    /// <inheritdoc/>
    public int MaxBytes => Math.Min(_log.MaxPayloadBytes, 256 << 10) - sizeof(int);

    /// <inheritdoc/>
    public long Count => _places.Count;

    /// <inheritdoc/>
    public long QuotaBytes { get; }

    /// <inheritdoc/>
    public long UsedBytes =>
        (_log.Segments.IdOf(_log.TailAddress) - _log.Segments.IdOf(_log.BeginAddress) + 1L) * _log.Segments.SegmentBytes;

    /// <summary>Opens the log of a directory, or makes one.</summary>
    public static HeadLog Open(string directory, HeadLimits limits, StoreDisk disk, DiskHealth health, TimeProvider time, ILogger logger)
    {
        using Opening opening = new();
        BlobLog log = opening.Add(BlobLog.Open(directory, limits.Geometry, disk, health, out CommittedRange range));
        HeadPlaces places = HeadRecovery.Load(log, range, logger);
        opening.Complete();
        return new HeadLog(log, places, limits, health, time, logger);
    }

    /// <inheritdoc/>
    public bool TryGet(string name, out ReadOnlyMemory<byte> head)
    {
        ObjectKey key = HeadEntry.KeyOf(name);
        head = default;
        while (_places.TryGet(key, out HeadPlace place))
        {
            ReadOnlyMemory<byte> payload = _staged.TryGetValue(key, out StagedHead? staged) ? staged.Payload : Load(key, place);
            if (HeadEntry.TryHeadIn(payload, name, out head))
            {
                _places.MarkUsed(key, place);
                return true;
            }

            lock (_writing)
            {
                if (_places.TryGet(key, out HeadPlace now) && now.Address == place.Address)
                {
                    _places.Remove(key); // damaged, or of another name
                    return false;
                }
            }
        }

        return false;
    }

    /// <inheritdoc/>
    public bool TryMark(string name, out HeadMark mark)
    {
        ObjectKey key = HeadEntry.KeyOf(name);
        bool isThere = _places.TryGet(key, out HeadPlace place);
        mark = isThere ? new HeadMark(key, place.Address) : default;
        return isThere;
    }

    /// <inheritdoc/>
    public bool IsCurrent(in HeadMark mark)
    {
        if (!_places.TryGet(mark.Key, out HeadPlace place) || place.Address != mark.Address)
        {
            return false;
        }

        _places.MarkUsed(mark.Key, place);
        return true;
    }

    /// <inheritdoc/>
    public void Put(string name, ReadOnlyMemory<byte> head)
    {
        ObjectKey key = HeadEntry.KeyOf(name);
        if (HeadEntry.LengthOf(name, head) > MaxBytes || _health.WriteFailure is not null)
        {
            Remove(key);
            return;
        }

        byte[] payload = HeadEntry.Encode(name, head);
        lock (_writing)
        {
            if (!TryAppendLocked(key, payload))
            {
                RemoveLocked(key);
            }
        }

        _keeper.Wake();
    }

    /// <inheritdoc/>
    public bool Remove(string name) => Remove(HeadEntry.KeyOf(name));

    /// <inheritdoc/>
    public int RemoveByPrefix(string prefix) =>
        _keeper.WithAll(heads => heads.Count(head => head.Name.StartsWith(prefix, StringComparison.Ordinal) && Remove(head.Key)));

    /// <inheritdoc/>
    public IReadOnlyList<string> Names(string prefix, int most) => _keeper.WithAll(heads =>
        heads.Select(static head => head.Name).Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Take(most).ToList());

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _keeper.DisposeAsync();
        _log.Dispose();
    }

    /// <summary>Is the newest head of a key at an address, and was it asked for since it is there? Null: it is not there.</summary>
    internal bool? IsUsedAt(in ObjectKey key, long address) =>
        _places.TryGet(key, out HeadPlace place) && place.Address == address ? place.IsUsed : null;

    /// <summary>Writes a head that is at an address to the log's end. False: the log has no room at present.</summary>
    internal bool TryMove(in ObjectKey key, long address, ReadOnlyMemory<byte> payload)
    {
        lock (_writing)
        {
            return !_places.IsAt(key, address) || TryAppendLocked(key, payload);
        }
    }

    /// <summary>Drops a head that is at an address.</summary>
    internal void Drop(in ObjectKey key, long address)
    {
        lock (_writing)
        {
            if (_places.IsAt(key, address))
            {
                _places.Remove(key);
                _staged.TryRemove(key, out _);
            }
        }
    }

    /// <summary>A snapshot of those that cannot be read from the files yet.</summary>
    internal IReadOnlyCollection<StagedHead> Staged() => [.. _staged.Values];

    /// <summary>
    /// The files have everything up to an address. Also appends removals that are owed: true when there is something to commit again.
    /// </summary>
    internal bool OnFlushed(long until)
    {
        lock (_writing)
        {
            bool hasAppended = false;
            foreach ((ObjectKey key, StagedHead staged) in _staged)
            {
                if (staged.End <= until)
                {
                    _staged.TryRemove(key, out _);
                }
            }

            while (_owed.TryPeek(out ObjectKey owed) && (_places.TryGet(owed, out _) || TryAppendRemovedLocked(owed)))
            {
                _owed.Dequeue();
                hasAppended = true;
            }

            return hasAppended;
        }
    }

    private bool Remove(in ObjectKey key)
    {
        bool isRemoved;
        lock (_writing)
        {
            isRemoved = RemoveLocked(key);
        }

        _keeper.Wake();
        return isRemoved;
    }

    private bool RemoveLocked(in ObjectKey key)
    {
        _staged.TryRemove(key, out _);
        if (!_places.Remove(key))
        {
            return false;
        }

        if (!TryAppendRemovedLocked(key) && _owed.Count < MostOwed)
        {
            _owed.Enqueue(key);
        }

        return true;
    }

    private bool TryAppendRemovedLocked(in ObjectKey key) =>
        _log.TryAppend(new EntryHeader(EntryKind.Removed, key, 0, 0, default), default, out _);

    private bool TryAppendLocked(in ObjectKey key, ReadOnlyMemory<byte> payload)
    {
        if (!_log.TryAppend(new EntryHeader(EntryKind.Whole, key, payload.Length, 0, payload.Span), payload, out long address))
        {
            return false;
        }

        _staged[key] = new StagedHead(key, payload, address); // first: who finds the place finds this
        _places.Set(key, new HeadPlace(address, payload.Length));
        return true;
    }

    /// <summary>Reads and checks a payload. Empty: it is not there, or not of this key.</summary>
    private ReadOnlyMemory<byte> Load(in ObjectKey key, HeadPlace place)
    {
        if (!_log.Segments.TryAcquire(place.Address, out Segment? segment))
        {
            return default;
        }

        byte[] rented = ArrayPool<byte>.Shared.Rent(EntryHeader.SizeBytes + place.MostPayloadBytes);
        try
        {
            Span<byte> entry = rented.AsSpan(0, EntryHeader.SizeBytes + place.MostPayloadBytes);
            long offset = _log.Segments.OffsetOf(place.Address) + BlobLog.LengthPrefixBytes;
            int read = _log.Segments.Disk.ReadFully(segment.Handle, entry, offset);
            EntryHeader header = EntryHeader.Read(entry);
            if (!header.IsValid || header.Key != key || header.PayloadLength > read - EntryHeader.SizeBytes)
            {
                return default;
            }

            Span<byte> payload = entry.Slice(EntryHeader.SizeBytes, header.PayloadLength);
            return header.Matches(payload) ? payload.ToArray() : default;
        }
        catch (IOException)
        {
            return default; // the disk's failures are told by its writes; what cannot be read is fetched again
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
            segment.Release();
        }
    }
}
