using Breakwater.Proxy.Tests.Observability;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Tests.Upstreams;

public sealed class NodeCountersTests : IDisposable
{
    private readonly Measured _measured = new();
    private readonly NodeCounters _counters;

    public NodeCountersTests() => _counters = new NodeCounters(_measured.Meters);

    public void Dispose() => _measured.Dispose();

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
            "breakwater.cluster.served node=n3 result=hit 1", "breakwater.cluster.refused reason=network 1"], _measured.Lines);
    }

    [Fact]
    public void Nodes_WhoeverCountsThem_IsAskedWhenSomebodyLooks()
    {
        _measured.Look();
        Assert.Empty(_measured.Lines);
        _counters.Watch(() => [("up", 2), ("down", 1)]);
        _measured.Look();

        Assert.Equal(["breakwater.cluster.nodes state=up 2", "breakwater.cluster.nodes state=down 1"], _measured.Lines);
    }
}
