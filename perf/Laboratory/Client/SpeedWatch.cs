namespace Breakwater.Laboratory.Client;

/// <summary>
/// The client's patience: more than 5 s without a byte, or less than 1,024 B/s averaged over the last 5 s (libcurl's low-speed rule with
/// CernVM-FS's numbers). Looked at once a second; counts the time of connecting and of waiting for the head.
/// </summary>
internal sealed class SpeedWatch
{
    /// <summary>Bytes a second below which a transfer is too slow.</summary>
    public const int LowSpeedBytesPerSecond = 1024;

    /// <summary>Over which time.</summary>
    public const int WindowSeconds = 5;

    private readonly long[] _before = new long[WindowSeconds];
    private int _looks;
    private long _startUs;

    /// <summary>Bytes of the body so far.</summary>
    public long Bytes { get; set; }

    /// <summary>A request goes out now.</summary>
    public void Begin(long nowUs) => (Bytes, _looks, _startUs) = (0, 0, nowUs);

    /// <summary>Called once a second: has the transfer become too slow?</summary>
    public bool IsTooSlow(long nowUs)
    {
        long past = _before[_looks % WindowSeconds];
        _before[_looks % WindowSeconds] = Bytes;
        bool full = _looks++ >= WindowSeconds && nowUs - _startUs > WindowSeconds * 1_000_000L;
        return full && Bytes - past < LowSpeedBytesPerSecond * WindowSeconds;
    }
}
