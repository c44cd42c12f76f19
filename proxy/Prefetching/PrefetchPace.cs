using Breakwater.Proxy.Observability;

namespace Breakwater.Proxy.Prefetching;

/// <summary>
/// While clients are busy, what is fetched ahead, and not for them, gives way: so many bytes a second, and each object begins when those
/// before it are paid for. Thread-safe.
/// </summary>
internal sealed class PrefetchPace(ProxyCounters counters, TimeProvider time) : IDisposable
{
    /// <summary>Hits a second from which on clients are busy: a tenth of a core.</summary>
    private const int BusyHitsPerSecond = 2000;

    /// <summary>What is fetched a second while they are: a twentieth of a core, and a boot set of 64 MB in four seconds.</summary>
    private const long BusyBytesPerSecond = 16L << 20;

    /// <summary>What an object costs beside its bytes, in bytes.</summary>
    private const int ObjectCostBytes = 16 << 10;

    /// <summary>How often the hits are counted, and the longest wait until whoever waits looks whether it still must.</summary>
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(100);

    /// <summary>What a late timer does not use is made up for, up to so much time's.</summary>
    private static readonly TimeSpan s_credit = TimeSpan.FromMilliseconds(10);

    private readonly Lock _gate = new();
    private long _lookedAt = time.GetTimestamp(); // guarded by _gate
    private long _answersThen;                    // guarded by _gate
    private bool _areBusy;                        // guarded by _gate
    private long _nextAt = time.GetTimestamp();   // guarded by _gate

    private readonly SemaphoreSlim _turn = new(1); // whoever has it waits for the time to begin

    /// <summary>Waits, while clients are busy, until what was fetched before is paid for.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            while (RestBeforeNext() is { Ticks: > 0 } rest)
            {
                // clients may be quiet by then
                var whole = TimeSpan.FromMilliseconds(Math.Ceiling(rest.TotalMilliseconds));
                await Task.Delay(whole < s_look ? whole : s_look, time, cancellationToken);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Bytes of an object have come.</summary>
    public void Charge(int bytes)
    {
        lock (_gate)
        {
            _nextAt += CostOf(bytes);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    /// <summary>How long the next object must wait; zero: it begins now.</summary>
    private TimeSpan RestBeforeNext()
    {
        lock (_gate)
        {
            long now = time.GetTimestamp();
            LookLocked(now);
            if (!_areBusy)
            {
                _nextAt = now;
                return TimeSpan.Zero;
            }

            if (_nextAt > now)
            {
                return time.GetElapsedTime(now, _nextAt);
            }

            long credit = (long)(s_credit.TotalSeconds * time.TimestampFrequency);
            _nextAt = Math.Max(_nextAt, now - credit) + CostOf(ObjectCostBytes); // its bytes are charged as they come
            return TimeSpan.Zero;
        }
    }

    private long CostOf(long bytes) => bytes * time.TimestampFrequency / BusyBytesPerSecond;

    private void LookLocked(long now)
    {
        TimeSpan since = time.GetElapsedTime(_lookedAt, now);
        if (since < s_look)
        {
            return;
        }

        long answers = counters.HitPathAnswers;
        _areBusy = (answers - _answersThen) * TimeSpan.TicksPerSecond >= BusyHitsPerSecond * since.Ticks;
        (_lookedAt, _answersThen) = (now, answers);
    }
}
