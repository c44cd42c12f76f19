namespace Breakwater.StoreSim;

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
