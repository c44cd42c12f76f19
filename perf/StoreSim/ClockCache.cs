namespace Breakwater.StoreSim;

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
