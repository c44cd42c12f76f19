using Breakwater.Proxy.Threading;

namespace Breakwater.Proxy.Exchanges;

/// <summary>
/// Long bodies of ordinary HTTP give way to clients' hits: while the threads that serve them wait for processors, only so many bytes a
/// second come from origins, of all bodies together. A mirror run slows no storm of boots (ADR 160). Thread-safe.
/// </summary>
internal sealed class GivingWay(ServingLoad load, TimeProvider time)
{
    /// <summary>For each thread that serves clients: about a fortieth of a processor.</summary>
    public const long BytesPerSecond = 4L << 20;

    /// <summary>From this share of their time on processors are short. Without a storm it is a hundredth.</summary>
    public const double Short = 0.1;

    /// <summary>How often the threads are looked at, and the longest wait until whoever waits looks whether it still must.</summary>
    public static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>What was not used may come at once, up to so much time's.</summary>
    private static readonly TimeSpan s_credit = TimeSpan.FromMilliseconds(20);

    private readonly Lock _gate = new();
    private long _lookedAt = time.GetTimestamp();            // guarded by _gate
    private TimeSpan _waited = load.Waited;                  // guarded by _gate: when it was looked at
    private bool _areShort;                                  // guarded by _gate: were processors short then?
    private long _nextAt = time.GetTimestamp();              // guarded by _gate: what came so far is paid for by then

    /// <summary>Bytes of a long body came: waits, while processors are short, until they are paid for.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async ValueTask PayAsync(int bytes, CancellationToken cancellationToken)
    {
        for (TimeSpan rest = Charge(bytes); rest > TimeSpan.Zero; rest = Charge(0))
        {
            await Task.Delay(rest < Look ? rest : Look, time, cancellationToken);
        }
    }

    /// <summary>How long to wait; zero: no longer.</summary>
    private TimeSpan Charge(int bytes)
    {
        lock (_gate)
        {
            long now = time.GetTimestamp();
            LookLocked(now);
            if (!_areShort)
            {
                _nextAt = now;
                return TimeSpan.Zero;
            }

            long credit = (long)(s_credit.TotalSeconds * time.TimestampFrequency);
            long cost = bytes * time.TimestampFrequency / (BytesPerSecond * load.Threads);
            _nextAt = Math.Max(_nextAt, now - credit) + cost;
            return _nextAt <= now ? TimeSpan.Zero
                : TimeSpan.FromMilliseconds(Math.Ceiling(time.GetElapsedTime(now, _nextAt).TotalMilliseconds));
        }
    }

    private void LookLocked(long now)
    {
        TimeSpan since = time.GetElapsedTime(_lookedAt, now);
        if (since < Look)
        {
            return;
        }

        // Long ago is not now: whoever looks first after a pause begins as if nobody were short.
        (TimeSpan waited, int threads) = (load.Waited, load.Threads);
        _areShort = since < 4 * Look && threads > 0 && waited - _waited >= Short * threads * since;
        (_lookedAt, _waited) = (now, waited);
    }
}
