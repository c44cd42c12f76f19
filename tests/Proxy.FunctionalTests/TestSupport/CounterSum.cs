using System.Diagnostics.Metrics;

namespace Breakwater.Proxy.FunctionalTests.TestSupport;

/// <summary>
/// What one proxy's counter counts from now on. A line of <c>/metrics</c> without a label of the test's own tells of all proxies of this
/// process, those of other tests among them.
/// </summary>
internal sealed class CounterSum : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _sum;

    public CounterSum(Counter<long> counter)
    {
        _listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref _sum, value));
        _listener.Start();
        _listener.EnableMeasurementEvents(counter);
    }

    /// <summary>The sum so far.</summary>
    public long Value => Interlocked.Read(ref _sum);

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();
}
