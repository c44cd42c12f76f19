using Breakwater.Proxy.Access;
using Breakwater.Proxy.Cluster;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Cluster;

/// <summary>Nodes that ask each other once a minute know at once who comes, goes and leaves.</summary>
public sealed class GreetingTests : IAsyncLifetime
{
    /// <summary>Before the next round of probes would tell it, and as long as a busy machine may take.</summary>
    private static readonly TimeSpan s_beforeTheNextRound = TimeSpan.FromSeconds(50);

    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private SiteOfNodes _site = null!;

    public async Task InitializeAsync() =>
        _site = await SiteOfNodes.StartAsync(3, [_upstream], _ => new() { ["Cluster:ProbeInterval"] = "00:01:00" }, running: 0);

    public async Task DisposeAsync()
    {
        await _site.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task Nodes_ThatComeLeaveAndStop_AreKnownAtOnce()
    {
        for (int node = 0; node < 3; node++)
        {
            await _site.StartAsync(node);
            await SeenAsync(node + 1);
        }

        NodeSelf first = _site[0].Services.GetRequiredService<NodeSelf>();
        first.Leave();
        await SeenAsync(2);
        first.Join();
        await SeenAsync(3);

        _site[2].Services.GetRequiredService<Drain>().Begin();
        await SeenAsync(2);
        await _site.StopAsync(2);
        await _site.StartAsync(2);
        await SeenAsync(3);
    }

    private Task SeenAsync(int members) => _site.SeesAllAsync(members).InTimeAsync(s_beforeTheNextRound);
}
