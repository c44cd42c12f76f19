using Breakwater.CacheStore.Space;

namespace Breakwater.StoreSim;

/// <summary>
/// The store's own policy at the store's own grain: whole segments are cleaned, survivors are written again, pinned objects stay.
/// </summary>
internal sealed class SegmentedCache(long quotaBytes, long segmentBytes) : SimulatedCache("store")
{
    private readonly Dictionary<int, Entry> _entries = [];
    private readonly Queue<List<Entry>> _fresh = new();
    private readonly LinkedList<List<Entry>> _kept = new();
    private readonly GhostTable _ghost = new((int)(quotaBytes / 45_000));
    private List<Entry> _freshTail = [];
    private long _freshTailBytes;
    private List<Entry> _keptTail = [];
    private long _keptTailBytes;

    public override bool Access(TraceRequest request)
    {
        if (_entries.TryGetValue(request.Id, out Entry? entry))
        {
            entry.Frequency = Math.Min(EvictionPolicy.MaxFrequency, entry.Frequency + 1);
            return true;
        }

        entry = new Entry(request) { Frequency = EvictionPolicy.InitialFrequency(_ghost.Contains(Hash(request.Id))) };
        _entries[request.Id] = entry;
        _freshTail.Add(entry);
        _freshTailBytes += request.SizeBytes;
        WrittenBytes += request.SizeBytes;
        if (_freshTailBytes >= segmentBytes)
        {
            _fresh.Enqueue(_freshTail);
            _freshTail = [];
            _freshTailBytes = 0;
        }

        while (UsedBytes() > quotaBytes)
        {
            Clean();
        }

        return false;
    }

    private long UsedBytes() => (_fresh.Count + _kept.Count + 2) * segmentBytes;

    private void Clean()
    {
        bool isFresh = EvictionPolicy.IsFreshNext((_fresh.Count + 1) * segmentBytes, _kept.Count * segmentBytes, quotaBytes, segmentBytes);
        List<Entry> victim;
        if (isFresh)
        {
            victim = _fresh.Dequeue();
        }
        else
        {
            victim = _kept.First!.Value;
            _kept.RemoveFirst();
            long worthy = victim.Where(entry => entry.Request.IsPinned || EvictionPolicy.IsKeptAgain(entry.Frequency))
                .Sum(entry => (long)entry.Request.SizeBytes);
            if (worthy > EvictionPolicy.MostKeptOfSegment * segmentBytes)
            {
                victim.ForEach(entry => entry.Frequency = EvictionPolicy.AfterRound(entry.Frequency));
                _kept.AddLast(victim); // little to win: it stays where it is for another round
                return;
            }
        }

        foreach (Entry entry in victim)
        {
            bool isKept = entry.Request.IsPinned
                || (isFresh ? EvictionPolicy.IsKeptFromFresh(entry.Frequency) : EvictionPolicy.IsKeptAgain(entry.Frequency));
            if (!isKept)
            {
                _entries.Remove(entry.Request.Id);
                if (isFresh)
                {
                    _ghost.Add(Hash(entry.Request.Id));
                }

                LostPinned += entry.Request.IsPinned ? 1 : 0;
                continue;
            }

            entry.Frequency = isFresh ? 0 : EvictionPolicy.AfterRound(entry.Frequency);
            Keep(entry);
        }
    }

    private void Keep(Entry entry)
    {
        WrittenBytes += entry.Request.SizeBytes;
        _keptTail.Add(entry);
        _keptTailBytes += entry.Request.SizeBytes;
        if (_keptTailBytes >= segmentBytes)
        {
            _kept.AddLast(_keptTail);
            _keptTail = [];
            _keptTailBytes = 0;
        }
    }

    private static long Hash(int id)
    {
        ulong x = (ulong)id * 0x9E3779B97F4A7C15;
        return (long)(x ^ (x >> 29));
    }

    private sealed class Entry(TraceRequest request)
    {
        public TraceRequest Request { get; } = request;

        public int Frequency { get; set; }
    }
}
