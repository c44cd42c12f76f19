namespace Breakwater.StoreSim;

/// <summary>A cache in a simulation: asked for an object, it says whether it had it, and takes it if not.</summary>
public abstract class SimulatedCache(string name)
{
    public string Name { get; } = name;

    public long WrittenBytes { get; protected set; }

    public abstract bool Access(TraceRequest request);

    /// <summary>Pinned objects that were evicted.</summary>
    public int LostPinned { get; protected set; }
}

/// <summary>Least recently used.</summary>
public sealed class LruCache(long quotaBytes) : SimulatedCache("LRU")
{
    private readonly Dictionary<int, LinkedListNode<TraceRequest>> _nodes = [];
    private readonly LinkedList<TraceRequest> _order = new();
    private long _bytes;

    public override bool Access(TraceRequest request)
    {
        if (_nodes.TryGetValue(request.Id, out LinkedListNode<TraceRequest>? node))
        {
            _order.Remove(node);
            _order.AddFirst(node);
            return true;
        }

        _nodes[request.Id] = _order.AddFirst(request);
        _bytes += request.SizeBytes;
        WrittenBytes += request.SizeBytes;
        while (_bytes > quotaBytes)
        {
            TraceRequest last = _order.Last!.Value;
            _order.RemoveLast();
            _nodes.Remove(last.Id);
            _bytes -= last.SizeBytes;
            LostPinned += last.IsPinned ? 1 : 0;
        }

        return false;
    }
}

/// <summary>FIFO with a second chance.</summary>
public sealed class ClockCache(long quotaBytes) : SimulatedCache("CLOCK")
{
    private readonly Dictionary<int, bool> _used = [];
    private readonly Queue<TraceRequest> _order = new();
    private long _bytes;

    public override bool Access(TraceRequest request)
    {
        if (_used.ContainsKey(request.Id))
        {
            _used[request.Id] = true;
            return true;
        }

        _used[request.Id] = false;
        _order.Enqueue(request);
        _bytes += request.SizeBytes;
        WrittenBytes += request.SizeBytes;
        while (_bytes > quotaBytes)
        {
            TraceRequest oldest = _order.Dequeue();
            if (_used[oldest.Id])
            {
                _used[oldest.Id] = false;
                _order.Enqueue(oldest);
            }
            else
            {
                _used.Remove(oldest.Id);
                _bytes -= oldest.SizeBytes;
            }
        }

        return false;
    }
}

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

/// <summary>S3-FIFO of Yang et al., SOSP 2023: small, main and ghost queues, 10 % small, two bits.</summary>
public sealed class S3FifoCache(long quotaBytes) : SimulatedCache("S3-FIFO")
{
    private readonly Dictionary<int, int> _frequency = [];
    private readonly Queue<TraceRequest> _small = new();
    private readonly Queue<TraceRequest> _main = new();
    private readonly Queue<int> _ghostOrder = new();
    private readonly HashSet<int> _ghost = [];
    private long _smallBytes;
    private long _mainBytes;

    public override bool Access(TraceRequest request)
    {
        if (_frequency.TryGetValue(request.Id, out int frequency))
        {
            _frequency[request.Id] = Math.Min(3, frequency + 1);
            return true;
        }

        while (_smallBytes + _mainBytes + request.SizeBytes > quotaBytes)
        {
            if (_smallBytes >= quotaBytes / 10 || _main.Count == 0)
            {
                EvictSmall();
            }
            else
            {
                EvictMain();
            }
        }

        _frequency[request.Id] = 0;
        WrittenBytes += request.SizeBytes;
        if (_ghost.Remove(request.Id))
        {
            _main.Enqueue(request);
            _mainBytes += request.SizeBytes;
        }
        else
        {
            _small.Enqueue(request);
            _smallBytes += request.SizeBytes;
        }

        return false;
    }

    private void EvictSmall()
    {
        TraceRequest oldest = _small.Dequeue();
        _smallBytes -= oldest.SizeBytes;
        if (_frequency[oldest.Id] > 1)
        {
            _frequency[oldest.Id] = 0;
            _main.Enqueue(oldest);
            _mainBytes += oldest.SizeBytes;
            return;
        }

        _frequency.Remove(oldest.Id);
        _ghost.Add(oldest.Id);
        _ghostOrder.Enqueue(oldest.Id);
        while (_ghostOrder.Count > _main.Count + _small.Count)
        {
            _ghost.Remove(_ghostOrder.Dequeue());
        }
    }

    private void EvictMain()
    {
        TraceRequest oldest = _main.Dequeue();
        if (_frequency[oldest.Id] > 0)
        {
            _frequency[oldest.Id]--;
            _main.Enqueue(oldest);
            return;
        }

        _mainBytes -= oldest.SizeBytes;
        _frequency.Remove(oldest.Id);
    }
}
