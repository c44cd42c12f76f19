using Breakwater.CacheStore.Index;
using Breakwater.CacheStore.Log;

namespace Breakwater.CacheStore.Space;

/// <summary>
/// Empties one segment: what is worth keeping is written to a kept segment and made durable, then the table points to it, then the segment
/// is deleted. A crash at any point leaves each kept object in at least one place. One user at a time.
/// </summary>
internal sealed class Cleaner(ObjectTable table, BlobLog log, KeptWriter kept, GhostTable ghosts)
{
    private readonly LogScanner _scanner = new(log.Segments, log.Geometry.PageSizeBits);
    private readonly List<Move> _moves = [];

    /// <summary>Does another machine of the site keep an object as well? Null: there is none.</summary>
    public Func<ObjectKey, bool>? IsElsewhere { get; set; }

    /// <summary>
    /// Cleans a segment that is full and published. False: most of it is worth keeping; it stays, its objects a little cooler.
    /// </summary>
    /// <param name="id">The segment.</param>
    /// <param name="isEvicting">False: every object is worth keeping.</param>
    /// <param name="isSparing">Only what is beyond its party's quota goes: there is enough of that elsewhere.</param>
    /// <exception cref="IOException">The disk refuses; the segment is as it was.</exception>
    public bool TryClean(int id, bool isEvicting, bool isSparing = false)
    {
        SegmentSet segments = log.Segments;
        bool isFresh = !SegmentSet.IsKept(id);
        List<Candidate> candidates = FindLive(id);
        Dictionary<int, long> dropped = []; // bytes of each party
        foreach (Candidate candidate in candidates)
        {
            int owner = candidate.Entry.Owner;
            bool isExcess = table.Shares.ExcessOf(owner) > dropped.GetValueOrDefault(owner);
            bool isElsewhere = isEvicting && IsElsewhere?.Invoke(candidate.Key) == true;
            candidate.IsKept = !isEvicting || candidate.IsPinned
                || (!isExcess && (isSparing || (isFresh
                ? EvictionPolicy.IsKeptFromFresh(candidate.Frequency, isElsewhere)
                : EvictionPolicy.IsKeptAgain(candidate.Frequency, isElsewhere))));
            if (!candidate.IsKept)
            {
                dropped[owner] = dropped.GetValueOrDefault(owner) + candidate.Entry.Length;
            }
        }

        if (!isFresh
            && candidates.Where(static c => c.IsKept)
            .Sum(static c => c.BytesHere) > EvictionPolicy.MostKeptOfSegment * segments.SegmentBytes)
        {
            candidates.ForEach(c => table.SetFrequency(c.Entry, EvictionPolicy.AfterRound(table.FrequencyOf(c.Entry))));
            return false;
        }

        _moves.Clear();
        try
        {
            CopyKept(id, isFresh, candidates);
            kept.Flush();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            kept.Abandon();
            throw;
        }

        foreach (Move move in _moves)
        {
            table.Relocate(move);
        }

        foreach (Candidate gone in candidates.Where(static c => !c.IsKept))
        {
            if (table.Evict(gone.Key, gone.Entry) && isFresh)
            {
                ghosts.Add(gone.Key.GetHashCode64());
            }
        }

        return true;
    }

    private void CopyKept(int id, bool isFresh, List<Candidate> candidates)
    {
        using EntryReader reader = new(log.Segments);
        foreach (Candidate candidate in candidates.Where(static c => c.IsKept))
        {
            if (Copy(id, candidate, reader) is { } address)
            {
                int frequency = isFresh ? 0 : EvictionPolicy.AfterRound(candidate.Frequency);
                _moves.Add(new Move(candidate.Key, candidate.Entry, address, frequency));
            }
            else
            {
                table.Forget(candidate.Key, candidate.Entry.Address, "its bytes were found damaged when its segment was cleaned");
            }
        }
    }

    /// <summary>Copies what an object has in the segment. Null: damaged.</summary>
    private long? Copy(int id, Candidate candidate, EntryReader reader)
    {
        SegmentSet segments = log.Segments;
        IndexEntry entry = candidate.Entry;
        if (!entry.IsSealed)
        {
            ReadOnlySpan<byte> whole = reader.Read(entry.Address, (int)entry.Length);
            return whole.IsEmpty || EntryHeader.Read(whole).Key != candidate.Key ? null : kept.Append(whole);
        }

        long[]? parts = reader.ReadSeal(entry.Address, candidate.Key, entry.Length);
        if (parts is null)
        {
            return null;
        }

        for (int i = 0; i < parts.Length; i++)
        {
            if (segments.IdOf(parts[i]) == id)
            {
                ReadOnlySpan<byte> part = reader.Read(parts[i], PartSize.Of(entry.Length, i));
                if (part.IsEmpty || EntryHeader.Read(part).Key != candidate.Key || EntryHeader.Read(part).Part != i)
                {
                    return null;
                }

                parts[i] = kept.Append(part);
            }
        }

        return kept.Append(Entries.Seal(candidate.Key, entry.Length, parts, candidate.Mark));
    }

    /// <summary>The objects that have something in the segment and that the index knows there.</summary>
    private List<Candidate> FindLive(int id)
    {
        SegmentSet segments = log.Segments;
        Dictionary<ObjectKey, Candidate> found = [];
        using EntryReader reader = new(segments);
        Dictionary<ObjectKey, long[]?> seals = [];
        foreach (ScannedEntry scanned in _scanner.Scan(segments.StartOf(id), segments.StartOf(id) + segments.SegmentBytes))
        {
            ObjectKey key = scanned.Header.Key;
            if (scanned.Header.Kind is not (EntryKind.Whole or EntryKind.Seal or EntryKind.Part)
                || !table.TryGet(key, out IndexEntry entry))
            {
                continue;
            }

            bool isLive = scanned.Header.Kind == EntryKind.Part
                ? entry.IsSealed && PartIsAt(scanned, entry)
                : entry.Address == scanned.Address;
            if (isLive)
            {
                if (!found.TryGetValue(key, out Candidate? candidate))
                {
                    candidate = found[key] = new Candidate(scanned.Header, entry, table.FrequencyOf(entry), table.Pins.IsExempt(key));
                }

                candidate.BytesHere += BlobLog.SizeOf(scanned.Header.PayloadLength);
            }
        }

        return [.. found.Values];

        bool PartIsAt(ScannedEntry part, in IndexEntry entry)
        {
            if (!seals.TryGetValue(part.Header.Key, out long[]? addresses))
            {
                addresses = seals[part.Header.Key] = reader.ReadSeal(entry.Address, part.Header.Key, entry.Length);
            }

            return addresses is not null && part.Header.Part < addresses.Length && addresses[part.Header.Part] == part.Address;
        }
    }

    private sealed class Candidate(EntryHeader header, IndexEntry entry, int frequency, bool isPinned)
    {
        public ObjectKey Key => header.Key;

        public ushort Mark => header.Mark;

        public IndexEntry Entry => entry;

        public int Frequency => frequency;

        public bool IsPinned => isPinned;

        public long BytesHere { get; set; }

        public bool IsKept { get; set; }
    }
}
