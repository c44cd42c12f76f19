using System.Diagnostics.Metrics;
using Breakwater.Proxy.Upstreams;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.Tests.Upstreams;

public sealed class NodeCountersTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly MeterListener _listener = new();
    private readonly List<string> _measured = [];
    private readonly NodeCounters _counters;

    public NodeCountersTests()
    {
        IMeterFactory meters = _services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, meters))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Note(instrument, value, tags));
        _counters = new NodeCounters(meters);
        _listener.Start();
    }

    public void Dispose()
    {
        _listener.Dispose();
        _services.Dispose();
    }

    [Fact]
    public void Counters_EachEvent_IsInItsMetricAndInTheTotals()
    {
        _counters.Borrowed("n1", 100, isMoved: false);
        _counters.Borrowed("n2", 10, isMoved: true);
        _counters.Strike("n1", "late");
        _counters.Hedge();
        _counters.Served("n3", "hit");
        _counters.Refused("network");

        Assert.Equal((2, 110, 1, 1, 1, 1), _counters.Totals);
        Assert.Equal(
            ["breakwater.cluster.borrowed node=n1 reason=owner 1", "breakwater.cluster.received node=n1 100",
            "breakwater.cluster.borrowed node=n2 reason=moved 1", "breakwater.cluster.received node=n2 10",
            "breakwater.cluster.strikes node=n1 kind=late 1", "breakwater.cluster.hedges 1",
            "breakwater.cluster.served node=n3 result=hit 1", "breakwater.cluster.refused reason=network 1"], _measured);
    }

    [Fact]
    public void Nodes_WhoeverCountsThem_IsAskedWhenSomebodyLooks()
    {
        _listener.RecordObservableInstruments();
        Assert.Empty(_measured);
        _counters.Watch(() => [("up", 2), ("down", 1)]);
        _listener.RecordObservableInstruments();

        Assert.Equal(["breakwater.cluster.nodes state=up 2", "breakwater.cluster.nodes state=down 1"], _measured);
    }

    private void Note(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        _measured.Add(string.Join(' ', [instrument.Name, .. tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"), $"{value}"]));
}
