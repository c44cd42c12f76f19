using Breakwater.Proxy.Fetching;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Fetching;

/// <summary>However many ask for an object at once: one fetch, and it belongs to none of them.</summary>
public sealed class CoalescingTests : IAsyncLifetime
{
    private const int Piece = 64 << 10;

    private static readonly TimeSpan s_long = TimeSpan.FromSeconds(50);

    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private ProxyUnderTest _proxy = null!;

    private FetchCoordinator Fetches => _proxy.Services.GetRequiredService<FetchCoordinator>();

    public async Task InitializeAsync() => _proxy = await ProxyUnderTest.StartAsync(ProxyUnderTest.Patient, null, _upstream);

    public async Task DisposeAsync()
    {
        await _upstream.DisposeAsync(); // First: whoever still waits at a gate is let go.
        await _proxy.DisposeAsync();
    }

    [Fact]
    public async Task Storm_AThousandClientsOnOneColdObject_OneUpstreamRequest()
    {
        SyntheticObject item = new SyntheticObject(50_000).On(_upstream);
        Gate gate = new();
        _upstream.Script(item.Path, UpstreamBehaviour.WaitsBeforeHead(gate));
        List<RawHttpClient> clients = [];
        try
        {
            for (int i = 0; i < 1000; i++)
            {
                RawHttpClient client = await _proxy.ConnectAsync();
                clients.Add(client);
                await client.SendAsync(RawHttpClient.Request("GET", i % 2 == 0 ? item.Url : item.Path));
            }

            await gate.Reached;
            gate.Open();
            RawResponse[] responses = await Task.WhenAll(clients.Select(c => c.ReadResponseAsync()));
            Assert.All(responses, r => Assert.True(r.Status == 200 && item.Bytes.AsSpan().SequenceEqual(r.Body)));
            Assert.Equal(1, _upstream.RequestCount(item.Path));
        }
        finally
        {
            clients.ForEach(c => c.Dispose());
        }
    }

    [Fact]
    public async Task BigObject_StillDownloading_EveryFollowerHasItsFirstByteBeforeTheLeadersLast()
    {
        SyntheticObject item = new SyntheticObject(4 << 20).On(_upstream);
        Gate gate = new();
        _upstream.Script(item.Path, UpstreamBehaviour.WaitsAt(2 << 20, gate));
        List<RawHttpClient> clients = [];
        try
        {
            clients.Add(await _proxy.ConnectAsync());
            await clients[0].SendAsync(RawHttpClient.Request("GET", item.Url));
            await gate.Reached;
            for (int i = 0; i < 20; i++)
            {
                clients.Add(await _proxy.ConnectAsync());
                await clients[^1].SendAsync(RawHttpClient.Request("GET", item.Url));
            }

            // Nobody can have the last byte: it is behind the gate. All the same, everybody gets a megabyte.
            foreach (RawHttpClient client in clients)
            {
                RawResponseHead head = await client.ReadHeadAsync();
                Assert.Equal((200, item.Bytes.Length), (head.Status, head.ContentLength));
                Assert.Equal(item.Bytes[..(1 << 20)], await client.ReadExactlyAsync(1 << 20));
            }

            Assert.False(gate.Opened.IsCompleted);
            gate.Open();
            byte[][] rests = await Task.WhenAll(clients.Select(c => c.ReadExactlyAsync(item.Bytes.Length - (1 << 20))));
            Assert.All(rests, rest => Assert.True(item.Bytes.AsSpan(1 << 20).SequenceEqual(rest)));
            Assert.Equal(1, _upstream.RequestCount(item.Path));
        }
        finally
        {
            clients.ForEach(c => c.Dispose());
        }
    }

    [Fact]
    public async Task Storm_AThousandClientsOnOneColdBigObject_AllHaveTheirFirstBytesBeforeItsLast()
    {
        SyntheticObject item = new SyntheticObject(3 << 20).On(_upstream);
        Gate[] gates = [.. Enumerable.Range(0, 100).Select(_ => new Gate())]; // it trickles: what stands still for seconds is tried again
        _upstream.Script(item.Path, new UpstreamBehaviour { BodyGates = [.. gates.Select((gate, i) => ((2L << 20) + (i * 8192), gate))] });
        using CancellationTokenSource isSeen = new();
        List<RawHttpClient> clients = [];
        try
        {
            for (int i = 0; i < 1000; i++)
            {
                clients.Add(await _proxy.ConnectAsync());
            }

            await Task.WhenAll(clients.Select((client, i) => client.SendAsync(RawHttpClient.Request("GET", i % 2 == 0 ? item.Url : item.Path))));
            await gates[0].Reached;
            Task trickle = TrickleAsync();
            await Task.WhenAll(clients.Select(async client =>
            {
                RawResponseHead head = await client.ReadHeadAsync();
                Assert.Equal((200, item.Bytes.Length), (head.Status, head.ContentLength));
                await AssertNextAsync(client, 0, Piece);
            }));
            await isSeen.CancelAsync();
            await trickle;
            Assert.False(gates[^1].Opened.IsCompleted);
            Array.ForEach(gates, gate => gate.Open());
            await Task.WhenAll(clients.Select(client => AssertNextAsync(client, Piece, item.Bytes.Length)));
            Assert.Equal(1, _upstream.RequestCount(item.Path));
        }
        finally
        {
            clients.ForEach(c => c.Dispose());
        }

        async Task TrickleAsync()
        {
            for (int i = 0; i < gates.Length - 1 && !isSeen.IsCancellationRequested; i++)
            {
                gates[i].Open();
                await Task.Delay(500, CancellationToken.None);
            }
        }

        async Task AssertNextAsync(RawHttpClient client, int from, int to)
        {
            for (int at = from; at < to; at += Piece)
            {
                byte[] piece = await client.ReadExactlyAsync(Math.Min(Piece, to - at));
                Assert.True(item.Bytes.AsSpan(at, piece.Length).SequenceEqual(piece), $"wrong bytes at {at}");
            }
        }
    }

    [Fact]
    public async Task BigObject_StillDownloading_ItsEndIsHeldBackUntilItIsVerified()
    {
        SyntheticObject item = new SyntheticObject(2 << 20).On(_upstream);
        Gate gate = new();
        _upstream.Script(item.Path, UpstreamBehaviour.WaitsAt(item.Bytes.Length - 1, gate));
        using RawHttpClient client = await _proxy.ConnectAsync();
        await client.SendAsync(RawHttpClient.Request("GET", item.Url));
        await client.ReadHeadAsync();
        byte[] begun = await client.ReadExactlyAsync(item.Bytes.Length - (64 << 10) - 1);
        Task<byte[]> end = client.ReadExactlyAsync((64 << 10) + 1);
        await gate.Reached;
        Assert.False(end.IsCompleted);
        gate.Open();
        Assert.Equal(item.Bytes, begun.Concat(await end));
    }

    [Theory]
    [InlineData(50_000)]
    [InlineData(4 << 20)]
    public async Task Leader_LeavesHalfWay_FollowersGetAllFromTheSameFetch(int sizeBytes)
    {
        SyntheticObject item = new SyntheticObject(sizeBytes).On(_upstream);
        Gate gate = new();
        _upstream.Script(item.Path, UpstreamBehaviour.WaitsAt(sizeBytes / 2, gate));
        RawHttpClient leader = await _proxy.ConnectAsync();
        await leader.SendAsync(RawHttpClient.Request("GET", item.Url));
        await gate.Reached;
        using RawHttpClient follower = await _proxy.ConnectAsync();
        await follower.SendAsync(RawHttpClient.Request("GET", item.Path));
        leader.Reset();
        using RawHttpClient late = await _proxy.ConnectAsync();
        await late.SendAsync(RawHttpClient.Request("GET", item.Path));
        gate.Open();
        Assert.Equal(item.Bytes, (await follower.ReadResponseAsync()).Body);
        Assert.Equal(item.Bytes, (await late.ReadResponseAsync()).Body);
        Assert.Equal(item.Bytes, (await _proxy.GetAsync(item.Url)).Body);
        Assert.Equal(1, _upstream.RequestCount(item.Path));
        Assert.Equal(UpstreamAnswerEnd.Sent, await _upstream.Requests[0].Ended);
    }

    [Fact]
    public async Task OnlyClient_LeavesAndLittleIsMissing_TheFetchIsFinishedForTheStore()
    {
        SyntheticObject item = new SyntheticObject(4 << 20).On(_upstream);
        Gate gate = new();
        _upstream.Script(item.Path, UpstreamBehaviour.WaitsAt(2 << 20, gate));
        await LeaveAsync(item, afterBytes: Piece);
        gate.Open();
        Assert.Equal(UpstreamAnswerEnd.Sent, await _upstream.Requests[0].Ended.WaitAsync(s_long));
        await NothingIsFetchedAsync();
        Assert.Equal(item.Bytes, (await _proxy.GetAsync(item.Url)).Body);
        Assert.Equal(1, _upstream.RequestCount(item.Path));
    }

    [Theory]
    [InlineData(false, false, Piece)]
    [InlineData(false, false, 0)]
    [InlineData(true, false, 0)]
    [InlineData(true, true, 0)]
    public async Task OnlyClient_LeavesAndMuchIsMissing_TheFetchIsGivenUpAndTheNextClientHasItsOwn(bool isBeforeTheHead, bool isLengthUnknown, int afterBytes)
    {
        SyntheticObject item = new SyntheticObject(24 << 20).On(_upstream);
        Gate head = new();
        Gate body = new();
        _upstream.ScriptNext(item.Path, new UpstreamBehaviour { HeadGate = isBeforeTheHead ? head : null, Chunked = isLengthUnknown, BodyGates = [(isLengthUnknown ? 20 << 20 : 2 << 20, body)] });
        await LeaveAsync(item, afterBytes);
        head.Open();
        Assert.Equal(UpstreamAnswerEnd.ClientGone, await _upstream.Requests[0].Ended.WaitAsync(s_long));
        await NothingIsFetchedAsync();
        Assert.False(_proxy.Store.Contains(item.Key));
        byte[] next = (await _proxy.GetAsync(item.Url)).Body;
        Assert.True(item.Bytes.AsSpan().SequenceEqual(next));
        Assert.Equal(2, _upstream.RequestCount(item.Path));
        await NothingIsFetchedAsync();
    }

    [Fact]
    public async Task Document_ManyClientsAtOnce_OneUpstreamRequest()
    {
        const string Path = "/cvmfs/tiny.example.org/.cvmfspublished";
        Gate gate = new();
        byte[] manifest = FixtureRepository.Tiny.Files[".cvmfspublished"];
        _upstream.Put(Path, manifest);
        _upstream.Script(Path, UpstreamBehaviour.WaitsBeforeHead(gate));
        List<RawHttpClient> clients = [];
        try
        {
            for (int i = 0; i < 100; i++)
            {
                clients.Add(await _proxy.ConnectAsync());
                await clients[^1].SendAsync(RawHttpClient.Request("GET", "http://s1.example.org" + Path));
            }

            await gate.Reached;
            gate.Open();
            RawResponse[] responses = await Task.WhenAll(clients.Select(c => c.ReadResponseAsync()));
            Assert.All(responses, r => Assert.Equal(manifest, r.Body));
            Assert.Equal(1, _upstream.RequestCount(Path));
        }
        finally
        {
            clients.ForEach(c => c.Dispose());
        }
    }

    /// <summary>Asks for an object, reads so much of it, and leaves once the upstream stands at its gate and the proxy has nobody else.</summary>
    private async Task LeaveAsync(SyntheticObject item, int afterBytes)
    {
        RawHttpClient client = await _proxy.ConnectAsync();
        await client.SendAsync(RawHttpClient.Request("GET", item.Url));
        await _upstream.RequestsArrivedAsync(item.Path).WaitAsync(s_long);
        if (afterBytes > 0)
        {
            Assert.Equal(200, (await client.ReadHeadAsync()).Status);
            Assert.Equal(item.Bytes[..afterBytes], await client.ReadExactlyAsync(afterBytes));
        }

        InFlightFetch fetch = Assert.Single(Fetches.InFlight);
        Assert.Equal(1, fetch.Followers);
        client.Reset();
        await Waiting.UntilAsync(() => fetch.Followers == 0, s_long);
    }

    private Task NothingIsFetchedAsync() => Waiting.UntilAsync(() => Fetches.InFlight.Count == 0, s_long);
}
