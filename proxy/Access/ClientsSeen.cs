using System.Net;

namespace Breakwater.Proxy.Access;

/// <summary>
/// How many clients came within the last day, for squid's monitoring, which asks for the clients that access the cache: who is connected
/// at this moment is another number. Thread-safe.
/// </summary>
internal sealed class ClientsSeen(TimeProvider time)
{
    /// <summary>More are not told apart: the count stays there.</summary>
    public const int Most = 65_536;

    /// <summary>A client is forgotten one to two of these after it came last.</summary>
    private static readonly TimeSpan s_period = TimeSpan.FromHours(12);

    private readonly long _started = time.GetTimestamp();
    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, int> _seen = [];   // guarded by _gate: the period in which it came last
    private int _period;                                      // guarded by _gate

    /// <summary>Clients that came within the last 12 to 24 hours.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                ForgetLocked();
                return _seen.Count;
            }
        }
    }

    /// <summary>A client came.</summary>
    /// <param name="client">Its <see cref="ClientKey"/>.</param>
    public void Note(IPAddress client)
    {
        lock (_gate)
        {
            ForgetLocked();
            if (_seen.Count < Most || _seen.ContainsKey(client))
            {
                _seen[client] = _period;
            }
        }
    }

    private void ForgetLocked()
    {
        int period = (int)(time.GetElapsedTime(_started) / s_period);
        if (period == _period)
        {
            return;
        }

        _period = period;
        foreach (IPAddress gone in _seen.Where(one => one.Value < period - 1).Select(one => one.Key).ToArray())
        {
            _seen.Remove(gone);
        }
    }
}
