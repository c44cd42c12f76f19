using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Observability;

/// <summary>
/// Takes note of every request that ended: counters at once, all the rest (access log, boot timelines) by a background reader. Built for
/// the hit path: one call, no allocation, no wake-up of another thread; state is striped by processor, so that threads seldom meet.
/// Thread-safe.
/// </summary>
internal sealed class RequestRecorder
{
    /// <summary>
    /// Records held between two drains: on a busy machine the next drain may be late by a second, at 100,000 requests each. More are
    /// counted, not kept.
    /// </summary>
    private const int Capacity = 131_072;

    /// <summary>What a stripe keeps room for between bursts.</summary>
    private const int CalmCapacity = 4096;

    /// <summary>
    /// Texts of clients that a stripe holds between two drains: the longest URLs, 25,000 a second. Beyond it records are counted, not kept.
    /// </summary>
    internal const int StripeTextBytes = 8 << 20;

    private static readonly RequestResult[] s_results = Enum.GetValues<RequestResult>();
    private static readonly KeyValuePair<string, object?>[] s_resultTags =
        [.. s_results.Select(r => new KeyValuePair<string, object?>("result", NameOf(r)))];

    private readonly Stripe[] _stripes;
    private readonly int _mask;
    private readonly Histogram<double> _firstByte;
    private readonly TimeProvider _time;
    private long _lostLines;

    public RequestRecorder(IMeterFactory meters, TimeProvider time)
    {
        _time = time;
        int stripes = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(Environment.ProcessorCount, 1, 16));
        _stripes = [.. Enumerable.Range(0, stripes).Select(_ => new Stripe(s_results.Length, Capacity / stripes))];
        _mask = stripes - 1;
        Meter meter = meters.Create(ProxyCounters.MeterName);
        meter.CreateObservableCounter("breakwater.requests", () => Totals(t => t.Requests), "{request}",
            "Client requests that ended, by result.");
        meter.CreateObservableCounter("breakwater.sent", () => Totals(t => t.Bytes), "By", "Body bytes sent to clients, by result.");
        meter.CreateObservableCounter("breakwater.requests.unrecorded", () => Dropped, "{request}",
            "Requests missing from access log and timelines, because they came faster than could be written.");
        meter.CreateObservableCounter("breakwater.access_log.lost", () => LostLines, "{line}",
            "Lines missing from the access log, because its disk or pipe refused them or was too slow.");
        _firstByte = meter.CreateHistogram(
            "breakwater.request.first_byte", "s", "Time from a request's head to the answer's head, by result.", null,
            new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries =
            [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5]
            });
    }

    /// <summary>Is anybody reading records? If not, none are kept.</summary>
    public bool KeepsRecords { get; set; }

    /// <summary>Does anybody read what clients say of themselves? See <see cref="IRecordSink.ReadsTexts"/>.</summary>
    public bool KeepsTexts { get; set; }

    /// <summary>Requests that came faster than they were drained.</summary>
    public long Dropped => _stripes.Sum(s => Volatile.Read(ref s.Dropped));

    /// <summary>Lines of the access log that could not be written.</summary>
    public long LostLines => Interlocked.Read(ref _lostLines);

    /// <summary>Counts lines of the access log that could not be written.</summary>
    public void AddLostLines(long lines) => Interlocked.Add(ref _lostLines, lines);

    /// <summary>The name of a result in metrics, logs and API: lower case, hyphens.</summary>
    public static string NameOf(RequestResult result) => result switch
    {
        RequestResult.PassedThrough => "passed-through",
        RequestResult.ClientGone => "client-gone",
        _ => result.ToString().ToLowerInvariant(),
    };

    /// <summary>Records a request that ended.</summary>
    public void Record(in RequestRecord record)
    {
        Stripe stripe = _stripes[Thread.GetCurrentProcessorId() & _mask];
        ref Tally tally = ref stripe.Tallies[(int)record.Result];
        Interlocked.Increment(ref tally.Requests);
        Interlocked.Add(ref tally.Bytes, record.BytesSent);
        ServiceKind kind = ServiceTimes.KindOf(record.Result, record.Status);
        Interlocked.Increment(ref stripe.Times[ServiceTimes.IndexOf(kind, _time.GetElapsedTime(record.StartedAt, record.EndedAt))]);
        if (record.Source == ByteSource.Disk)
        {
            Interlocked.Add(ref stripe.DiskHitBytes, record.BytesSent);
        }

        if (record.AnsweredAt != 0)
        {
            _firstByte.Record(_time.GetElapsedTime(record.StartedAt, record.AnsweredAt).TotalSeconds, s_resultTags[(int)record.Result]);
        }

        if (KeepsRecords && !stripe.TryKeep(record))
        {
            Interlocked.Increment(ref stripe.Dropped);
        }
    }

    /// <summary>Requests and body bytes since the start, by result.</summary>
    public (long Requests, long Bytes) TotalOf(RequestResult result) =>
        (_stripes.Sum(s => Volatile.Read(ref s.Tallies[(int)result].Requests)),
        _stripes.Sum(s => Volatile.Read(ref s.Tallies[(int)result].Bytes)));

    /// <summary>Requests and body bytes since the start, of all results that are so.</summary>
    public (long Requests, long Bytes) TotalOf(Func<RequestResult, bool> isCounted) => s_results.Where(isCounted).Select(TotalOf)
        .Aggregate((Requests: 0L, Bytes: 0L), static (sum, one) => (sum.Requests + one.Requests, sum.Bytes + one.Bytes));

    /// <summary>
    /// Which part of all that was asked of the cache was answered without asking another server, since the start; null when
    /// there was nothing.
    /// </summary>
    public (double? OfRequests, double? OfBytes) HitRatio()
    {
        (long requests, long bytes) = TotalOf(static r => r.IsHit);
        (long askedRequests, long askedBytes) = TotalOf(static r => r.WasAskedFor);
        return (Share(requests, askedRequests), Share(bytes, askedBytes));

        static double? Share(long hits, long others) => hits + others == 0 ? null : (double)hits / (hits + others);
    }

    /// <summary>Body bytes of hits that were not all in memory.</summary>
    public long DiskHitBytes => _stripes.Sum(s => Volatile.Read(ref s.DiskHitBytes));

    /// <summary>Counts of requests by the time they took since the start, for <see cref="ServiceTimes"/>.</summary>
    public long[] TimesTaken()
    {
        long[] counts = new long[ServiceTimes.Length];
        foreach (Stripe stripe in _stripes)
        {
            for (int i = 0; i < counts.Length; i++)
            {
                counts[i] += Volatile.Read(ref stripe.Times[i]);
            }
        }

        return counts;
    }

    /// <summary>
    /// Takes all records kept since the last call, in the order of their ends. Those of a stripe are kept in it, so the stripes are
    /// merged; only when a thread was held up between the end of a request and its record, they are sorted. One reader.
    /// </summary>
    public void Drain(List<RequestRecord> into)
    {
        bool isInOrder = true;
        long last = long.MinValue;
        foreach (Stripe stripe in _stripes)
        {
            stripe.BeginDrain();
        }

        while (FirstToEnd() is { } first)
        {
            isInOrder &= first.NextEndedAt >= last;
            last = first.NextEndedAt;
            into.Add(first.TakeDrained());
        }

        foreach (Stripe stripe in _stripes)
        {
            stripe.EndDrain();
        }

        if (!isInOrder)
        {
            into.Sort(static (a, b) => a.EndedAt.CompareTo(b.EndedAt));
        }
    }

    private Stripe? FirstToEnd()
    {
        Stripe? first = null;
        foreach (Stripe stripe in _stripes)
        {
            first = stripe.HasDrained && (first is null || stripe.NextEndedAt < first.NextEndedAt) ? stripe : first;
        }

        return first;
    }

    private IEnumerable<Measurement<long>> Totals(Func<Tally, long> choose)
    {
        foreach (RequestResult result in s_results)
        {
            (long requests, long bytes) = TotalOf(result);
            yield return new Measurement<long>(choose(new Tally { Requests = requests, Bytes = bytes }), s_resultTags[(int)result]);
        }
    }

    /// <summary>A cache line of its own for each result.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 64)]
    private struct Tally
    {
        [FieldOffset(0)]
        public long Requests;

        [FieldOffset(8)]
        public long Bytes;
    }

    private sealed class Stripe(int results, int capacity)
    {
        public readonly Tally[] Tallies = new Tally[results];
        public readonly long[] Times = new long[ServiceTimes.Length];
        public long Dropped;
        public long DiskHitBytes;

        private readonly Lock _gate = new();
        private RequestRecord[] _filling = new RequestRecord[64];   // guarded by _gate
        private RequestRecord[] _spare = new RequestRecord[64];     // guarded by _gate, but for the reader's turn with it
        private int _count;                                         // guarded by _gate
        private int _textBytes;                                     // guarded by _gate
        private RequestRecord[] _drained = [];                      // the reader's, as the next two
        private int _drainedCount;
        private int _next;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool TryKeep(in RequestRecord record)
        {
            lock (_gate)
            {
                int textBytes = record.TextBytes;
                if (_textBytes + textBytes > StripeTextBytes || (_count == _filling.Length && !TryGrowLocked()))
                {
                    return false;
                }

                _textBytes += textBytes;
                _filling[_count++] = record;
                return true;
            }
        }

        /// <summary>The reader's turn with what was kept begins.</summary>
        public void BeginDrain()
        {
            lock (_gate)
            {
                (_drained, _drainedCount) = (_filling, _count);
                (_filling, _spare, _count, _textBytes) = (_spare, [], 0, 0);
            }

            _next = 0;
        }

        /// <summary>Does the reader's turn have another record?</summary>
        public bool HasDrained => _next < _drainedCount;

        /// <summary>When that record's request ended.</summary>
        public long NextEndedAt => _drained[_next].EndedAt;

        /// <summary>That record, and on to the next.</summary>
        public ref readonly RequestRecord TakeDrained() => ref _drained[_next++];

        /// <summary>The reader's turn is over; what it leaves is kept as room for the next records.</summary>
        public void EndDrain()
        {
            if (_drained.Length > CalmCapacity && _drainedCount < _drained.Length / 8)
            {
                _drained = new RequestRecord[CalmCapacity];
            }
            else
            {
                Array.Clear(_drained, 0, _drainedCount);
            }

            lock (_gate)
            {
                _spare = _drained;
            }

            (_drained, _drainedCount) = ([], 0);
        }

        private bool TryGrowLocked()
        {
            if (_filling.Length >= capacity)
            {
                return false;
            }

            Array.Resize(ref _filling, Math.Min(capacity, _filling.Length * 4));
            return true;
        }
    }
}
