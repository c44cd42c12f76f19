using Breakwater.Laboratory.Net;

namespace Breakwater.Laboratory.Stratum1;

/// <summary>The running counts behind <see cref="UpstreamCounters"/>. Loop thread only.</summary>
internal sealed class Tally(int objects)
{
    private readonly int[] _byObject = new int[objects];
    private readonly Dictionary<Fault, long> _faults = [];
    private readonly List<int> _timeline = [];
    private long _startUs = EventLoop.ClockUs();
    private long _requests, _objectRequests, _unknown, _lastByteUs;
    private int _concurrent, _maxConcurrent, _distinct;

    /// <summary>Body bytes sent.</summary>
    public long BodyBytes { get; private set; }

    /// <summary>Connections accepted.</summary>
    public long Connections { get; set; }

    /// <summary>A request has arrived; how often that object was asked for before.</summary>
    public int Began(int objectIndex, bool isObject)
    {
        _requests++;
        Concurrency(+1);
        if (objectIndex < 0)
        {
            _unknown++;
            return 0;
        }

        if (isObject)
        {
            _objectRequests++;
            _distinct += _byObject[objectIndex] == 0 ? 1 : 0;
        }

        return _byObject[objectIndex]++;
    }

    /// <summary>A request has ended, well or not.</summary>
    public void Ended() => Concurrency(-1);

    /// <summary>Body bytes went out.</summary>
    public void Sent(long bytes)
    {
        BodyBytes += bytes;
        _lastByteUs = EventLoop.ClockUs();
    }

    /// <summary>An answer was made wrong.</summary>
    public void Faulted(Fault fault) => _faults[fault] = _faults.GetValueOrDefault(fault) + 1;

    /// <summary>How often each object was asked for, by its index.</summary>
    public IReadOnlyList<int> ByObject() => [.. _byObject];

    /// <summary>Starts to count anew; requests in progress stay in the concurrency.</summary>
    public void Reset()
    {
        Array.Clear(_byObject);
        _faults.Clear();
        _timeline.Clear();
        _requests = _objectRequests = _unknown = _lastByteUs = BodyBytes = Connections = 0;
        _distinct = 0;
        _maxConcurrent = _concurrent;
        _startUs = EventLoop.ClockUs();
    }

    /// <summary>The counts as they stand.</summary>
    public UpstreamCounters Snapshot() => new()
    {
        Requests = _requests,
        ObjectRequests = _objectRequests,
        DistinctObjects = _distinct,
        Unknown = _unknown,
        BodyBytes = BodyBytes,
        Connections = Connections,
        MaxConcurrent = _maxConcurrent,
        LastByteSeconds = _lastByteUs == 0 ? 0 : (_lastByteUs - _startUs) / 1e6,
        Faults = _faults.ToDictionary(f => f.Key.ToString(), f => f.Value),
        ConcurrencyTimeline = [.. _timeline],
    };

    private void Concurrency(int change)
    {
        int slice = (int)((EventLoop.ClockUs() - _startUs) / (UpstreamCounters.SliceMs * 1000));
        while (_timeline.Count <= slice && _timeline.Count < 36_000)
        {
            _timeline.Add(_concurrent);
        }

        _concurrent += change;
        _maxConcurrent = Math.Max(_maxConcurrent, _concurrent);
        if (slice < _timeline.Count)
        {
            _timeline[slice] = Math.Max(_timeline[slice], _concurrent);
        }
    }
}
