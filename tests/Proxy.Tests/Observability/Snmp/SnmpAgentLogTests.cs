using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using Breakwater.CacheStore;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Observability.Snmp;
using Breakwater.Proxy.Observability.Squid;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Observability.Snmp;

/// <summary>Datagrams are cheap to send: what the log says of those that get no answer is bounded.</summary>
public sealed class SnmpAgentLogTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly FakeTimeProvider _time = new();
    private readonly RequestRecorder _recorder;
    private readonly ProxyCounters _counters;
    private readonly SquidHistory _history;

    public SnmpAgentLogTests()
    {
        IMeterFactory meters = _services.GetRequiredService<IMeterFactory>();
        _recorder = new RequestRecorder(meters, _time);
        _counters = new ProxyCounters(meters);
        _history = new SquidHistory(_recorder, _counters, _time);
    }

    public void Dispose()
    {
        _history.Dispose();
        _counters.Dispose();
        _services.Dispose();
    }

    [Fact]
    public async Task Datagrams_WithoutAnAnswer_AreToldOnceAMinute()
    {
        var log = new LogLines<SnmpAgent>();
        using SnmpAgent agent = Agent(log, "127.0.0.1/32");
        await agent.StartAsync(default);
        using UdpClient client = Client(agent);

        await client.SendAsync(Request("others"));
        await client.SendAsync("rubbish"u8.ToArray());
        await AnsweredAsync(client);
        Assert.Equal(2, log.Said.Count);
        Assert.EndsWith("it names another community than Snmp:Community. Others are not told of for a minute", log.Said[1],
            StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromMinutes(1) - TimeSpan.FromTicks(1));
        await client.SendAsync("rubbish"u8.ToArray());
        await AnsweredAsync(client);
        Assert.Equal(2, log.Said.Count);
        _time.Advance(TimeSpan.FromTicks(1));
        await client.SendAsync("rubbish"u8.ToArray());
        await AnsweredAsync(client);
        Assert.Contains("it is no SNMP v1 or v2c request", log.Said[2], StringComparison.Ordinal);
        await agent.StopAsync(default).InTimeAsync();
        Assert.Equal(3, log.Said.Count);
    }

    [Fact]
    public async Task Datagrams_OfAStranger_AreToldByHisAddress()
    {
        var log = new LogLines<SnmpAgent>();
        using SnmpAgent agent = Agent(log, "192.0.2.0/24");
        await agent.StartAsync(default);
        using UdpClient client = Client(agent);

        await client.SendAsync(Request("site"));
        await Waiting.UntilAsync(() => log.Said.Count == 2);

        Assert.Contains($"from {client.Client.LocalEndPoint} gets no answer: it is in no network of Snmp:Clients", log.Said[1],
            StringComparison.Ordinal);
        Assert.Equal(0, client.Available);
        await agent.StopAsync(default).InTimeAsync();
    }

    private static byte[] Request(string community) =>
        SnmpMessages.Request(SnmpMessages.V2c, community, SnmpMessages.Get, ["1.3.6.1.4.1.3495.1.3.2.1.1.0"]);

    private static async Task AnsweredAsync(UdpClient client)
    {
        await client.SendAsync(Request("site"));
        UdpReceiveResult answer = await client.ReceiveAsync().InTimeAsync();
        Assert.Equal("0", Assert.Single(SnmpMessages.Read(answer.Buffer).Variables).Value);
    }

    private static UdpClient Client(SnmpAgent agent)
    {
        var client = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        client.Connect(agent.EndPoint!);
        return client;
    }

    private SnmpAgent Agent(LogLines<SnmpAgent> log, string clients)
    {
        var options = new SnmpOptions { Listen = "127.0.0.1:0", Community = "site", Clients = [clients] };
        var settings = new BreakwaterSettings
        {
            Proxy = new(),
            Access = new(),
            Store = new(),
            Repositories = new Dictionary<string, RepositoryOptions>(),
            Snmp = options,
        };
        var mib = new SquidMib(_recorder, _counters, () => new StoreStatistics(), settings.Proxy, _history, () => 0, _time);
        return new SnmpAgent(options, new SnmpResponder("site", mib), ListenPlan.Make(settings, []), _time, log);
    }
}
