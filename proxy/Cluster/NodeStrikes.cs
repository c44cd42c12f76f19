using System.Collections.Concurrent;

namespace Breakwater.Proxy.Cluster;

/// <summary>
/// Which nodes are skipped since real requests to them failed: probes see a hung node late. Three strikes in a row, or one refused
/// connection, and it is out for 5 s; each time that it fails when it is tried again, twice as long, 60 s at most. Thread-safe.
/// </summary>
/// <param name="time">Its monotonic time alone: no wall clock decides anything between nodes.</param>
internal sealed class NodeStrikes(TimeProvider time)
{
    /// <summary>One or two are bad luck.</summary>
    public const int StrikesUntilOut = 3;

    private static readonly TimeSpan s_shortest = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<string, Record> _records = new(StringComparer.Ordinal);   // a record a node of the settings
    private readonly long _start = time.GetTimestamp();
    private long _total;

    /// <summary>Strikes since the start.</summary>
    public long Total => Volatile.Read(ref _total);

    /// <summary>Is it skipped now?</summary>
    public bool IsOut(string node) => _records.TryGetValue(node, out Record? record) && record.IsOut(Now());

    /// <summary>It was too slow, broke off, or sent what is wrong.</summary>
    public void Strike(string node)
    {
        Interlocked.Increment(ref _total);
        RecordOf(node).Strike(Now(), isDecisive: false);
    }

    /// <summary>It does not even take a connection.</summary>
    public void Refused(string node)
    {
        Interlocked.Increment(ref _total);
        RecordOf(node).Strike(Now(), isDecisive: true);
    }

    /// <summary>It did what was asked: what was before is forgotten.</summary>
    public void Answered(string node)
    {
        if (_records.TryGetValue(node, out Record? record))
        {
            record.Clear();
        }
    }

    /// <summary>Only these nodes are left.</summary>
    public void Keep(IReadOnlySet<string> nodes)
    {
        foreach (string gone in _records.Keys.Where(id => !nodes.Contains(id)))
        {
            _records.TryRemove(gone, out _);
        }
    }

    private TimeSpan Now() => time.GetElapsedTime(_start);

    private Record RecordOf(string node) => _records.GetOrAdd(node, static _ => new Record());

    private sealed class Record
    {
        private readonly Lock _gate = new();
        private int _strikes;           // guarded by _gate: in a row
        private TimeSpan _period;       // guarded by _gate: how long it is out, or was the last time; zero: it answers
        private TimeSpan _until;        // guarded by _gate

        public bool IsOut(TimeSpan now)
        {
            lock (_gate)
            {
                return _period > TimeSpan.Zero && now < _until;
            }
        }

        public void Strike(TimeSpan now, bool isDecisive)
        {
            lock (_gate)
            {
                if (_period > TimeSpan.Zero && now < _until)
                {
                    // Requests that were under way when it went out: they are told of the same fault.
                    return;
                }

                if (++_strikes < StrikesUntilOut && !isDecisive && _period == TimeSpan.Zero)
                {
                    return;
                }

                _period = _period == TimeSpan.Zero ? s_shortest : _period * 2 < s_longest ? _period * 2 : s_longest;
                _until = now + _period;
                _strikes = 0;
            }
        }

        public void Clear()
        {
            lock (_gate)
            {
                (_strikes, _period) = (0, TimeSpan.Zero);
            }
        }
    }
}
