using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Observability;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Cluster;

/// <summary>What the node port refused, and whether this process itself is late.</summary>
public sealed class NodeRefusalsTests : IDisposable
{
    private readonly TestSite _site = new();

    public void Dispose() => _site.Dispose();

    [Fact]
    public void Find_WhatWasRefused_IsTheLastForTenMinutes()
    {
        var refusals = new NodeRefusals(_site.Counters, _site.Time, NullLogger<NodeRefusals>.Instance);
        refusals.Count("unfinished");
        Assert.Null(refusals.Find());

        refusals.Note("tls", "10.0.0.1", "it does not speak TLS");
        refusals.Note("node", "10.0.0.2", "it is a node of site 'x'");

        HealthFinding? found = refusals.Find();
        Assert.Equal(("node-port-refused", HealthLevel.Degraded), (found?.Name, found?.Level));
        Assert.StartsWith("The node port refused 10.0.0.2: it is a node of site 'x'.", found!.Text, StringComparison.Ordinal);
        Assert.Equal(3, _site.Counters.Totals.Refused);
        _site.Time.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromTicks(1));
        Assert.NotNull(refusals.Find());
        _site.Time.Advance(TimeSpan.FromTicks(1));
        Assert.Null(refusals.Find());
    }

    [Fact]
    public void WasLate_TicksThatComeInTime_AreNotLate()
    {
        var time = new FakeTimeProvider();
        using var lateness = new PoolLateness(time);
        for (int i = 0; i < 10; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(250));
            Assert.False(lateness.WasLate(TimeSpan.FromDays(1)));
        }
    }

    [Fact]
    public void WasLate_TickThatComesTooLate_IsRememberedForAWhile()
    {
        var time = new FakeTimeProvider();
        using var lateness = new PoolLateness(time);
        time.Advance(TimeSpan.FromMilliseconds(750));
        Assert.False(lateness.WasLate(TimeSpan.FromDays(1)));

        time.Advance(TimeSpan.FromMilliseconds(751));

        Assert.True(lateness.WasLate(TimeSpan.FromTicks(1)));
        for (int i = 0; i < 8; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(250));
        }

        Assert.True(lateness.WasLate(TimeSpan.FromSeconds(2) + TimeSpan.FromTicks(1)));
        Assert.False(lateness.WasLate(TimeSpan.FromSeconds(2)));
    }
}
