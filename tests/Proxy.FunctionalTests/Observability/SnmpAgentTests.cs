using System.Net;
using System.Net.Sockets;
using Breakwater.Proxy.Observability.Snmp;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Observability;

/// <summary>SNMP over a real UDP port of a running proxy.</summary>
public sealed class SnmpAgentTests
{
    private const string Requests = "1.3.6.1.4.1.3495.1.3.2.1.1.0";
    private const string ServerRequests = "1.3.6.1.4.1.3495.1.3.2.1.10.0";

    [Fact]
    public async Task Get_AfterAFetch_CountsIt()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(1000).On(upstream);
        await using ProxyUnderTest proxy = await StartAsync(upstream, "127.0.0.0/8");
        using RawHttpClient client = await proxy.ConnectAsync();
        for (int i = 0; i < 2; i++)
        {
            await client.SendAsync(RawHttpClient.Request("GET", item.Url));
            Assert.Equal(item.Bytes, (await client.ReadResponseAsync()).Body);
        }

        await proxy.CountedAsync(2);
        using UdpClient manager = ManagerOf(proxy);
        await manager.SendAsync(SnmpMessages.Request(SnmpMessages.V2c, "readers", SnmpMessages.Get, [Requests, ServerRequests]));
        SnmpAnswer answer = SnmpMessages.Read((await manager.ReceiveAsync().InTimeAsync()).Buffer);

        Assert.Equal(["2", "1"], answer.Variables.Select(v => v.Value));
    }

    [Fact]
    public async Task Datagrams_ThatAreRubbishOrOfStrangers_GetNoAnswerAndTheNextOneDoes()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        await using ProxyUnderTest proxy = await StartAsync(upstream, "127.0.0.1/32");
        using UdpClient manager = ManagerOf(proxy);
        using UdpClient stranger = ManagerOf(proxy, "127.0.0.2");
        byte[] good = SnmpMessages.Request(SnmpMessages.V2c, "readers", SnmpMessages.Get, [Requests]);
        await stranger.SendAsync(good);
        var random = new Random(3401);
        for (int i = 0; i < 200; i++)
        {
            byte[] rubbish = new byte[random.Next(0, 3000)];
            random.NextBytes(rubbish);
            await manager.SendAsync(rubbish);
            await manager.SendAsync(good);
            Assert.Equal(0, SnmpMessages.Read((await manager.ReceiveAsync().InTimeAsync()).Buffer).ErrorStatus);
        }

        await manager.SendAsync(SnmpMessages.Request(SnmpMessages.V2c, "guessed", SnmpMessages.Get, [Requests]));
        await manager.SendAsync(SnmpMessages.Request(SnmpMessages.V2c, "readers", SnmpMessages.Set, [Requests]));
        SnmpAnswer first = SnmpMessages.Read((await manager.ReceiveAsync().InTimeAsync()).Buffer);
        await manager.SendAsync(good);
        SnmpAnswer second = SnmpMessages.Read((await manager.ReceiveAsync().InTimeAsync()).Buffer);

        // One datagram after the other: had those before been answered, it would be here before these.
        Assert.Equal((17, 0), (first.ErrorStatus, second.ErrorStatus));
        Assert.Equal(0, stranger.Available);
        Assert.Equal(0, manager.Available);
    }

    [Fact]
    public async Task Off_ByDefault()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(upstream);

        Assert.Null(proxy.Services.GetService<SnmpAgent>());
    }

    [Fact]
    public async Task Start_PortIsTaken_FailsAsForAnyPort()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        using var other = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));

        await Assert.ThrowsAsync<SocketException>(() => ProxyUnderTest.StartAsync(
            new Dictionary<string, string?> { ["Snmp:Listen"] = other.Client.LocalEndPoint!.ToString(), ["Snmp:Community"] = "readers" },
            null, upstream));
    }

    private static Task<ProxyUnderTest> StartAsync(ScriptedUpstream upstream, string clients) => ProxyUnderTest.StartAsync(
        new Dictionary<string, string?> { ["Snmp:Listen"] = "127.0.0.1:0", ["Snmp:Community"] = "readers", ["Snmp:Clients:0"] = clients },
        null, upstream);

    private static UdpClient ManagerOf(ProxyUnderTest proxy, string from = "127.0.0.1")
    {
        var manager = new UdpClient(new IPEndPoint(IPAddress.Parse(from), 0));
        manager.Connect(proxy.Services.GetRequiredService<SnmpAgent>().EndPoint!);
        return manager;
    }
}
