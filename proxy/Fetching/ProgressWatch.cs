using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Fetching;

/// <summary>
/// Watches one transfer: is it stalled, or too slow to be of use to a client that leaves below 1,024 B/s? Pure but for its own marks.
/// </summary>
/// <param name="stall">How long it may send nothing.</param>
/// <param name="window">Over what time its speed is judged.</param>
/// <param name="begun">When it began.</param>
internal sealed class ProgressWatch(TimeSpan stall, TimeSpan window, TimeSpan begun)
{
    private TimeSpan _stall = stall;
    private TimeSpan _window = window;

    /// <summary>Twice what the client demands (1,024 B/s over 5 s).</summary>
    private const double MinBytesPerSecond = 2048;

    /// <summary>Where there is another Stratum 1 to ask.</summary>
    private static readonly TimeSpan s_shortWindow = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan s_nodeStall = TimeSpan.FromSeconds(2.5);

    private TimeSpan _lastByte = begun;
    private TimeSpan _windowBegun = begun;
    private TimeSpan _pausedAt;
    private long _windowBytes;
    private bool _isPaused;

    /// <summary>
    /// Quick to move on while another Stratum 1 is left; patient with the last one, but not for ever: one that drips would hold its place
    /// in the line of fetches for days.
    /// </summary>
    public static ProgressWatch For(bool mayMoveOn, ProxyOptions options, TimeSpan begun) => mayMoveOn
        ? new ProgressWatch(options.FirstByteTimeout, s_shortWindow, begun)
        : new ProgressWatch(options.FetchPatience, options.FetchPatience, begun);

    /// <summary>
    /// A node fetches what it has not, so it has longer than a Stratum 1: a Stratum 1 can still be asked before a client gives up.
    /// </summary>
    public static ProgressWatch ForNode(TimeSpan begun) => new(s_nodeStall, s_shortWindow, begun);

    /// <summary>There is another Stratum 1 to ask after all.</summary>
    public void Hurry(ProxyOptions options)
    {
        _stall = options.FirstByteTimeout;
        _window = s_shortWindow;
    }

    /// <summary>Bytes came.</summary>
    public void Moved(int bytes, TimeSpan now)
    {
        _lastByte = now;
        _windowBytes += bytes;
    }

    /// <summary>From now on the transfer waits for us: its clock stands still.</summary>
    public void Pause(TimeSpan now)
    {
        _pausedAt = now;
        _isPaused = true;
    }

    /// <summary>It is the Stratum 1's turn again.</summary>
    public void Resume(TimeSpan now)
    {
        if (_isPaused)
        {
            _isPaused = false;
            _lastByte += now - _pausedAt;
            _windowBegun += now - _pausedAt;
        }
    }

    /// <summary>Is it time to ask somebody else? When a body cannot be streamed yet, it must come whole in time.</summary>
    public bool IsTooSlow(TimeSpan now)
    {
        if (_isPaused)
        {
            return false;
        }

        if (now - _lastByte >= _stall)
        {
            return true;
        }

        TimeSpan elapsed = now - _windowBegun;
        if (elapsed < _window)
        {
            return false;
        }

        bool isSlow = _windowBytes < MinBytesPerSecond * elapsed.TotalSeconds;
        _windowBegun = now;
        _windowBytes = 0;
        return isSlow;
    }
}
