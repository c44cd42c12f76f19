using System.Net;
using System.Net.Sockets;
using System.Text;
using Breakwater.Proxy.Admin;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.HitPath;

/// <summary>
/// A client that closes its sending side after its request (<c>printf | nc</c>, the wget of boot loaders) gets its answer, by the event
/// loops and by Kestrel alone.
/// </summary>
public sealed class HalfClosedClientTests : IAsyncLifetime
{
    private const int Rounds = 100;
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private ProxyUnderTest? _proxy;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (_proxy is not null)
        {
            await _proxy.DisposeAsync();
        }

        await _upstream.DisposeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HalfClosed_AtOnce_HitsDocumentsAndLocalAnswersAreWhole(bool rawPath)
    {
        await StartAsync(rawPath);
        SyntheticObject item = new SyntheticObject(2_000).On(_upstream);
        _upstream.Put("/cvmfs/synthetic.example.org/.cvmfs_x", item.Bytes);
        IPEndPoint admin = IPEndPoint.Parse(_proxy!.Services.GetRequiredService<AdminServer>().Address!.Authority);
        for (int i = 0; i < Rounds; i++)
        {
            Assert.Equal(item.Bytes, (await AskAsync(item.Path)).Body);
            Assert.Equal(item.Bytes, (await AskAsync("/cvmfs/synthetic.example.org/.cvmfs_x")).Body);
            Assert.Contains("FindProxyForURL", Encoding.ASCII.GetString((await AskAsync("/wpad.dat")).Body), StringComparison.Ordinal);
            Assert.Equal(200, (await AskAsync(item.Path, "HEAD")).Status);
            Assert.Equal("live\n", Encoding.ASCII.GetString((await AskAsync("/healthz/live", to: admin)).Body));
        }
    }

    [Theory]
    [InlineData(true, "object")]
    [InlineData(true, "document")]
    [InlineData(true, "external")]
    [InlineData(false, "object")]
    [InlineData(false, "document")]
    [InlineData(false, "external")]
    public async Task HalfClosed_WhileTheStratum1IsAsked_TheAnswerIsWhole(bool rawPath, string what)
    {
        await StartAsync(rawPath);
        SyntheticObject item = new SyntheticObject(2_000).On(_upstream);
        string path =
            what switch
            {
                "object" => item.Path,
                "document" => "/cvmfs/synthetic.example.org/.cvmfs_x",
                _ => "/cvmfs/synthetic.example.org/ext/file"
            };
        Gate gate = new();
        _upstream.Put(path, item.Bytes);
        _upstream.Script(path, UpstreamBehaviour.WaitsBeforeHead(gate));

        Task<RawResponse> asked = AskAsync(path);
        await _upstream.RequestsArrivedAsync(path);
        await TurnsAsync();
        gate.Open();

        Assert.Equal(item.Bytes, (await asked).Body);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HalfClosed_InTheMiddleOfAGrowingAnswer_TheAnswerIsWhole(bool rawPath)
    {
        await StartAsync(rawPath);
        SyntheticObject item = new SyntheticObject(6 << 20).On(_upstream);
        Gate gate = new();
        _upstream.Script(item.Path, UpstreamBehaviour.WaitsAt(4 << 20, gate));
        using RawHttpClient client = await _proxy!.ConnectAsync();
        await client.SendAsync(RawHttpClient.Request("GET", item.Path));
        RawResponseHead head = await client.ReadHeadAsync();
        client.Socket.Shutdown(SocketShutdown.Send);
        byte[] first = await client.ReadExactlyAsync(1 << 20);
        await TurnsAsync();
        gate.Open();
        byte[] rest = await client.ReadExactlyAsync(item.Bytes.Length - first.Length);

        Assert.Equal(200, head.Status);
        Assert.True(item.Bytes.AsSpan().SequenceEqual([.. first, .. rest]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HalfClosed_AfterManyRequests_AllAreAnsweredInOrder(bool rawPath)
    {
        await StartAsync(rawPath);
        SyntheticObject[] items = [.. Enumerable.Range(0, 6).Select(i => new SyntheticObject(3_000 + i, i).On(_upstream))];
        await _proxy!.GetAsync(items[0].Path);
        using RawHttpClient client = await _proxy.ConnectAsync();
        await client.SendAsync(
            (byte[])[.. items.SelectMany(item =>
            (byte[])[.. RawHttpClient.Request("GET", item.Path), .. RawHttpClient.Request("GET", "/wpad.dat")])]);
        client.Socket.Shutdown(SocketShutdown.Send);
        foreach (SyntheticObject item in items)
        {
            Assert.Equal(item.Bytes, (await client.ReadResponseAsync()).Body);
            Assert.Equal(200, (await client.ReadResponseAsync()).Status);
        }

        Assert.True(await client.IsClosedByServerAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HalfClosed_ThenGone_WhatIsUnderWayForItEnds(bool rawPath)
    {
        await StartAsync(rawPath);
        const string Path = "/cvmfs/synthetic.example.org/ext/silent";
        _upstream.Put(Path, new byte[100_000]);
        _upstream.Script(Path, UpstreamBehaviour.StallsAt(50_000));
        using (RawHttpClient client = await _proxy!.ConnectAsync())
        {
            // With a password it is fetched for this client alone.
            await client.SendAsync(RawHttpClient.Request("GET", Path, "Authorization: Bearer mine"));
            client.Socket.Shutdown(SocketShutdown.Send);
            await client.ReadHeadAsync();
            await TurnsAsync();
            Assert.Equal(1, _upstream.ConnectionsOpen);
            client.Socket.LingerState = new LingerOption(true, 0); // RST
        }

        await Waiting.UntilAsync(() => _upstream.ConnectionsOpen == 0);
    }

    private async Task StartAsync(bool rawPath) => _proxy = await ProxyUnderTest.StartAsync(
        new Dictionary<string, string?>(ProxyUnderTest.Patient) { ["Proxy:RawPath"] = rawPath.ToString() }, null, _upstream);

    /// <summary>The proxy has seen what came before: it has answered others since.</summary>
    private async Task TurnsAsync()
    {
        for (int i = 0; i < 20; i++)
        {
            await _proxy!.GetAsync("/wpad.dat");
        }
    }

    private async Task<RawResponse> AskAsync(string path, string method = "GET", IPEndPoint? to = null)
    {
        using CancellationTokenSource hang = new(TimeSpan.FromSeconds(30));
        using RawHttpClient client = await RawHttpClient.ConnectAsync(to ?? _proxy!.EndPoint, hang.Token);
        await client.SendAsync(RawHttpClient.Request(method, path), hang.Token);
        client.Socket.Shutdown(SocketShutdown.Send);
        RawResponse response = await client.ReadResponseAsync(method == "HEAD", hang.Token);
        Assert.True(response.Status == 200 && response.IsComplete, $"{method} {path}: {response.Head.StatusLine}");
        return response;
    }
}
