namespace Breakwater.StoreSim;

/// <summary>Least frequently used while in the cache; oldest first among equals.</summary>
public sealed class LfuCache(long quotaBytes) : SimulatedCache("LFU")
{
    private readonly Dictionary<int, (int Count, long Time, int Size)> _entries = [];
    private readonly SortedSet<(int Count, long Time, int Id)> _order = [];
    private long _bytes;
    private long _time;

    public override bool Access(TraceRequest request)
    {
        _time++;
        if (_entries.TryGetValue(request.Id, out var entry))
        {
            _order.Remove((entry.Count, entry.Time, request.Id));
            _entries[request.Id] = (entry.Count + 1, _time, entry.Size);
            _order.Add((entry.Count + 1, _time, request.Id));
            return true;
        }

        _bytes += request.SizeBytes;
        WrittenBytes += request.SizeBytes;
        while (_bytes > quotaBytes)
        {
            var least = _order.Min;
            _order.Remove(least);
            _bytes -= _entries[least.Id].Size;
            _entries.Remove(least.Id);
        }

        _entries[request.Id] = (1, _time, request.SizeBytes);
        _order.Add((1, _time, request.Id));
        return false;
    }
}
