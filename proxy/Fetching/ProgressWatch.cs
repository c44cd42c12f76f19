namespace Breakwater.Proxy.Fetching;

/// <summary>
/// Watches one transfer: is it stalled, or too slow to be of use to a client that leaves below 1,024 B/s? Pure but for its own marks.
/// </summary>
internal sealed class ProgressWatch(TimeSpan stall, TimeSpan begun)
{
    /// <summary>Twice what the client demands (1,024 B/s over 5 s).</summary>
    private const double MinBytesPerSecond = 2048;

    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(3);

    private TimeSpan _lastByte = begun;
    private TimeSpan _windowBegun = begun;
    private long _windowBytes;

    /// <summary>Bytes came.</summary>
    public void Moved(int bytes, TimeSpan now)
    {
        _lastByte = now;
        _windowBytes += bytes;
    }

    /// <summary>Is it time to ask somebody else? When a body cannot be streamed yet, it must come whole in time.</summary>
    public bool IsTooSlow(TimeSpan now)
    {
        if (now - _lastByte >= stall)
        {
            return true;
        }

        TimeSpan window = now - _windowBegun;
        if (window < s_window)
        {
            return false;
        }

        bool isSlow = _windowBytes < MinBytesPerSecond * window.TotalSeconds;
        _windowBegun = now;
        _windowBytes = 0;
        return isSlow;
    }

    /// <summary>How long nothing has come.</summary>
    public TimeSpan Silence(TimeSpan now) => now - _lastByte;
}
