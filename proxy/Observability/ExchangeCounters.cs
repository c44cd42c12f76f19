using System.Diagnostics.Metrics;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Observability;

/// <summary>
/// Requests of ordinary HTTP (destinations and sites) by result; they are among all requests as well (<see cref="RequestRecorder"/>).
/// Thread-safe.
/// </summary>
internal sealed class ExchangeCounters
{
    private static readonly RequestResult[] s_results = Enum.GetValues<RequestResult>();

    private readonly long[] _requests = new long[s_results.Length];
    private readonly long[] _bytes = new long[s_results.Length];

    public ExchangeCounters(IMeterFactory meters)
    {
        Meter meter = meters.Create(ProxyCounters.MeterName);
        meter.CreateObservableCounter("breakwater.http.requests", () => Totals(_requests), "{request}",
            "Requests for destinations and sites that ended, by result.");
        meter.CreateObservableCounter("breakwater.http.sent", () => Totals(_bytes), "By",
            "Body bytes of destinations and sites sent to clients, by result.");
    }

    /// <summary>A request ended.</summary>
    public void Count(RequestResult result, long bytesSent)
    {
        Interlocked.Increment(ref _requests[(int)result]);
        Interlocked.Add(ref _bytes[(int)result], bytesSent);
    }

    /// <summary>Requests and body bytes since the start, by result; only results that there were.</summary>
    public IEnumerable<(RequestResult Result, long Requests, long Bytes)> Totals() =>
        s_results.Select(result => (result, Volatile.Read(ref _requests[(int)result]), Volatile.Read(ref _bytes[(int)result])))
            .Where(total => total.Item2 > 0);

    private static IEnumerable<Measurement<long>> Totals(long[] counts) => s_results.Select(result => new Measurement<long>(
        Volatile.Read(ref counts[(int)result]), new KeyValuePair<string, object?>("result", RequestRecorder.NameOf(result))));
}
