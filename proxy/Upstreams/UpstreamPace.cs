using System.Diagnostics.Metrics;
using System.Globalization;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// Bounds the bytes that come from upstream in a second (ADR 113): whoever has read a piece of a body waits here before it reads the next,
/// so that the sender is held back by TCP. A bucket over monotonic time; wall time only says which limit holds. Thread-safe.
/// </summary>
internal sealed class UpstreamPace : IHealthSource, IDisposable
{
    /// <summary>So much that was not used may come at once.</summary>
    private const double BurstSeconds = 0.25;

    /// <summary>Of so many turns one goes to who is behind in urgency, so that a stream that has begun goes on.</summary>
    private const int TurnsOfMore = 4;

    /// <summary>No piece is smaller, however low the limit.</summary>
    private const int LeastPiece = 4 << 10;

    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);

    /// <summary>So long it is told that the limit was too low.</summary>
    private static readonly TimeSpan s_told = TimeSpan.FromMinutes(10);

    private readonly Lock _gate = new();
    private readonly LinkedList<Waiter> _waiting = [];     // guarded by _gate: in the order of their coming
    private readonly TimeProvider _time;
    private readonly TimeSpan _answerTimeout;
    private readonly ITimer _timer;
    private readonly Meter? _meter;
    private volatile IReadOnlyList<BandwidthOptions> _limits = [];
    private double _bytes;              // guarded by _gate: may come now; below zero: came too early
    private long _filledAt;             // guarded by _gate
    private long _lookedAt;             // guarded by _gate
    private long? _rate;                // guarded by _gate: null: no limit holds
    private int _turns;                 // guarded by _gate
    private double _waitedSeconds;      // guarded by _gate
    private (long At, TimeSpan Waited)? _late;   // guarded by _gate

    public UpstreamPace(UpstreamOptions options, ProxyOptions proxy, TimeProvider time, IMeterFactory? meters = null)
    {
        (_time, _answerTimeout) = (time, proxy.AnswerTimeout);
        _timer = time.CreateTimer(_ => Serve(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _meter = meters?.Create(ProxyCounters.MeterName);
        _meter?.CreateObservableGauge("breakwater.upstream.limit", () => BytesPerSecond ?? 0, "By",
            "Bytes a second that may come from upstream at this time of day; 0: no limit.");
        _meter?.CreateObservableCounter("breakwater.upstream.limit_waits", () => WaitedSeconds, "s",
            "Time that bodies from upstream waited for the limit, added up.");
        Replace(options);
    }

    /// <summary>What may come in a second at this time of day; null: there is no limit.</summary>
    public long? BytesPerSecond
    {
        get
        {
            if (_limits.Count == 0)
            {
                return null;
            }

            lock (_gate)
            {
                FillLocked();
                return _rate;
            }
        }
    }

    /// <summary>Bodies that wait right now.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    private double WaitedSeconds
    {
        get
        {
            lock (_gate)
            {
                return _waitedSeconds;
            }
        }
    }

    /// <summary>New settings are in force.</summary>
    public void Replace(UpstreamOptions options)
    {
        lock (_gate)
        {
            _limits = options.Bandwidth;
            LookLocked();
        }

        Serve();
    }

    /// <summary>How much may be read at a time, so that nobody takes the way for long.</summary>
    /// <param name="wanted">As much as there is room for.</param>
    public int Piece(int wanted) =>
        _limits.Count == 0 || BytesPerSecond is not { } rate ? wanted : (int)Math.Min(wanted, Math.Max(LeastPiece, rate / 16));

    /// <summary>A body begins to come.</summary>
    /// <param name="turn">How urgent the rest is right now; quick, and does not come back here.</param>
    public PacedBody Begin(Func<PaceTurn> turn) => new(this, _time, turn);

    /// <summary>Bytes came: waits until they may have come.</summary>
    /// <param name="bytes">How many.</param>
    /// <param name="turn">How urgent the rest is, asked again while it waits; must be quick and must not come back here.</param>
    /// <param name="cancellationToken">Ends the wait; the bytes count all the same.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public ValueTask PayAsync(int bytes, Func<PaceTurn> turn, CancellationToken cancellationToken)
    {
        if (_limits.Count == 0 || bytes == 0)
        {
            return ValueTask.CompletedTask;
        }

        LinkedListNode<Waiter> place;
        lock (_gate)
        {
            FillLocked();
            if (_rate is null)
            {
                return ValueTask.CompletedTask;
            }

            if (_waiting.Count == 0 && _bytes > 0)
            {
                _bytes -= bytes;
                return ValueTask.CompletedTask;
            }

            place = _waiting.AddLast(new Waiter(bytes, turn, _time.GetTimestamp()));
            ServeLocked();
        }

        return new ValueTask(WaitAsync(place, cancellationToken));
    }

    /// <summary>A client had nothing of a body by now, and the limit had so much part in it.</summary>
    public void NoteLate(TimeSpan waited)
    {
        if (waited >= _answerTimeout / 2)
        {
            lock (_gate)
            {
                _late = (_time.GetTimestamp(), waited);
            }
        }
    }

    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Find()
    {
        TimeSpan? late = null;
        long? rate;
        lock (_gate)
        {
            FillLocked();
            rate = _rate;
            if (_late is { } noted && _time.GetElapsedTime(noted.At) < s_told)
            {
                late = noted.Waited;
            }
        }

        if (late is { } waited)
        {
            string now = rate is { } limit
                ? string.Create(CultureInfo.InvariantCulture, $"now {limit} bytes a second") : "which does not hold at this time of day";
            yield return new HealthFinding(
                "upstream-limit-too-low", HealthLevel.Degraded,
                string.Create(CultureInfo.InvariantCulture,
                    $"Upstream:Bandwidth ({now}) kept a client waiting for the first byte for {waited.TotalSeconds:0.0} s of the "
                    + $"{_answerTimeout.TotalSeconds:0.##} s of Proxy:AnswerTimeout in the last ten minutes; clients that wait longer "
                    + $"leave this proxy. Raise it, or fetch ahead at night (pins, warm)."));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Replace(new UpstreamOptions());
        _timer.Dispose();
        _meter?.Dispose();
    }

    private async Task WaitAsync(LinkedListNode<Waiter> place, CancellationToken cancellationToken)
    {
        using (cancellationToken.UnsafeRegister(static (state, token) => ((Waiter)state!).Served.TrySetCanceled(token), place.Value))
        {
            try
            {
                await place.Value.Served.Task;
            }
            finally
            {
                lock (_gate)
                {
                    if (place.List is not null)
                    {
                        TakeLocked(place);
                    }
                }
            }
        }
    }

    private void Serve()
    {
        lock (_gate)
        {
            FillLocked();
            ServeLocked();
        }
    }

    private void ServeLocked()
    {
        while (_waiting.Count > 0 && (_rate is null || _bytes > 0))
        {
            LinkedListNode<Waiter> next = NextLocked();
            TakeLocked(next);
            next.Value.Served.TrySetResult();
        }

        if (_waiting.Count > 0)
        {
            // Behind the moment when a byte may come; and a limit may end meanwhile.
            double seconds = Math.Min(s_look.TotalSeconds, (1 - _bytes) / _rate!.Value);
            _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(seconds * 1000)), Timeout.InfiniteTimeSpan);
        }
    }

    private LinkedListNode<Waiter> NextLocked()
    {
        bool isTurnOfMore = ++_turns % TurnsOfMore == 0;
        LinkedListNode<Waiter> best = _waiting.First!;
        int bestRank = int.MaxValue;
        for (LinkedListNode<Waiter>? one = _waiting.First; one is not null && bestRank > 0; one = one.Next)
        {
            int rank = one.Value.Turn() switch
            {
                PaceTurn.Idle => 2,
                PaceTurn.More => isTurnOfMore ? 0 : 1,
                _ => isTurnOfMore ? 1 : 0,
            };
            if (rank < bestRank)
            {
                (best, bestRank) = (one, rank);
            }
        }

        return best;
    }

    private void TakeLocked(LinkedListNode<Waiter> place)
    {
        _waiting.Remove(place);
        _bytes -= place.Value.Bytes;
        _waitedSeconds += _time.GetElapsedTime(place.Value.Since).TotalSeconds;
    }

    private void FillLocked()
    {
        long now = _time.GetTimestamp();
        if (_rate is { } rate)
        {
            _bytes = Math.Min(rate * BurstSeconds, _bytes + (rate * _time.GetElapsedTime(_filledAt, now).TotalSeconds));
        }

        _filledAt = now;
        if (_limits.Count > 0 && _time.GetElapsedTime(_lookedAt, now) >= s_look)
        {
            LookLocked();
        }
    }

    /// <summary>
    /// Which limit holds now? By the clock on the wall: in the night when an hour comes twice or not at all, a period is longer or shorter
    /// by that hour, as it is for people.
    /// </summary>
    private void LookLocked()
    {
        _lookedAt = _time.GetTimestamp();
        var now = TimeOnly.FromDateTime(_time.GetLocalNow().DateTime);
        long? rate = _limits.FirstOrDefault(limit => limit.Holds(now))?.BytesPerSecond is { } found and > 0 ? found : null;
        if (rate != _rate)
        {
            (_rate, _bytes, _filledAt) = (rate, (rate ?? 0) * BurstSeconds, _lookedAt);
        }
    }

    private sealed class Waiter(int bytes, Func<PaceTurn> turn, long since)
    {
        public int Bytes => bytes;

        public Func<PaceTurn> Turn => turn;

        public long Since => since;

        public TaskCompletionSource Served { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
