namespace Breakwater.StoreSim;

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
