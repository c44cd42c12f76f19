using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.Fetching;

/// <summary>However many ask for an object at once: one fetch, and it belongs to none of them.</summary>
public sealed class CoalescingTests : IAsyncLifetime
{
    private const int Piece = 64 << 10;

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
        Gate gate = new();
        _upstream.Script(item.Path, UpstreamBehaviour.WaitsAt(2 << 20, gate));
        FakeTimeProvider time = new(DateTimeOffset.UtcNow); // A transfer that stands still is not seen to.
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(ProxyUnderTest.Patient, time, _upstream);
        List<RawHttpClient> clients = [];
        try
        {
            for (int i = 0; i < 1000; i++)
            {
                clients.Add(await proxy.ConnectAsync());
            }

            await Task.WhenAll(
                clients.Select((client, i) => client.SendAsync(RawHttpClient.Request("GET", i % 2 == 0 ? item.Url : item.Path))));
            await gate.Reached;
            FetchCoordinator fetches = proxy.Services.GetRequiredService<FetchCoordinator>();
            await Waiting.UntilAsync(() => fetches.InFlight.Any(f => f.Followers == clients.Count && f.Body.Appended == 2 << 20));
            time.Advance(TimeSpan.FromSeconds(2)); // It takes long: the crowd may begin.
            await Task.WhenAll(clients.Select(async client =>
            {
                RawResponseHead head = await client.ReadHeadAsync();
                Assert.Equal((200, item.Bytes.Length), (head.Status, head.ContentLength));
                await AssertNextAsync(client, 0, Piece);
            }));
            Assert.False(gate.Opened.IsCompleted);
            gate.Open();
            await Task.WhenAll(clients.Select(client => AssertNextAsync(client, Piece, item.Bytes.Length)));
            Assert.Equal(1, _upstream.RequestCount(item.Path));
        }
        finally
        {
            clients.ForEach(c => c.Dispose());
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

    [Theory]
    [InlineData("true", false)]
    [InlineData("true", true)]
    [InlineData("false", false)]
    [InlineData("false", true)]
    public async Task BigObject_StillDownloading_ItsEndIsHeldBackUntilItIsVerified(string rawPath, bool isWrong)
    {
        SyntheticObject item = new SyntheticObject(2 << 20).On(_upstream);
        int last = item.Bytes.Length - 1;
        int released = last - ReleasePolicy.HeldBackBytes;
        Gate gate = new();
        _upstream.Script(item.Path, new UpstreamBehaviour { BodyGates = [(last, gate)], FlipBitAt = isWrong ? last : null });
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>(ProxyUnderTest.Patient) { ["Proxy:RawPath"] = rawPath }, null, _upstream);
        using RawHttpClient client = await proxy.ConnectAsync();
        await client.SendAsync(RawHttpClient.Request("GET", item.Url));
        RawResponseHead head = await client.ReadHeadAsync();
        Assert.Equal((200, item.Bytes.Length), (head.Status, head.ContentLength));
        byte[] begun = await client.ReadExactlyAsync(released);
        Assert.True(item.Bytes.AsSpan(0, released).SequenceEqual(begun));

        // All but the last byte is here, and only what is not held back is out.
        InFlightFetch fetch = Assert.Single(proxy.Services.GetRequiredService<FetchCoordinator>().InFlight);
        await Waiting.UntilAsync(() => fetch.Body.Appended == last);
        Assert.Equal(released, fetch.Body.Released);
        gate.Open();
        (byte[] end, bool isComplete) =
            await client.ReadBodyAsync(new RawResponseHead("", 200, [$"Content-Length: {item.Bytes.Length - released}"]));
        Assert.Equal(!isWrong, isComplete);
        // One: behind the last byte that came one more could go out.
        Assert.InRange(end.Length, 0, isWrong ? 1 : item.Bytes.Length - released);
        Assert.True(item.Bytes.AsSpan(released, end.Length).SequenceEqual(end));
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
        Assert.Equal(UpstreamAnswerEnd.Sent, await _upstream.Requests[0].Ended);
        await NothingIsFetchedAsync();
        Assert.Equal(item.Bytes, (await _proxy.GetAsync(item.Url)).Body);
        Assert.Equal(1, _upstream.RequestCount(item.Path));
    }

    [Theory]
    [InlineData(false, false, Piece)]
    [InlineData(false, false, 0)]
    [InlineData(true, false, 0)]
    [InlineData(true, true, 0)]
    public async Task OnlyClient_LeavesAndMuchIsMissing_TheFetchIsGivenUpAndTheNextClientHasItsOwn(bool isBeforeTheHead,
    bool isLengthUnknown, int afterBytes)
    {
        SyntheticObject item = new SyntheticObject(24 << 20).On(_upstream);
        Gate head = new();
        Gate body = new();
        _upstream.ScriptNext(item.Path,
            new UpstreamBehaviour
            {
                HeadGate = isBeforeTheHead ? head : null,
                Chunked = isLengthUnknown,
                BodyGates = [(isLengthUnknown ? 20 << 20 : 2 << 20, body)]
            });
        await LeaveAsync(item, afterBytes);
        head.Open();
        Assert.Equal(UpstreamAnswerEnd.ClientGone, await _upstream.Requests[0].Ended);
        await NothingIsFetchedAsync();
        Assert.False(_proxy.Store.Contains(item.Key));
        byte[] next = (await _proxy.GetAsync(item.Url)).Body;
        Assert.True(item.Bytes.AsSpan().SequenceEqual(next));
        Assert.Equal(2, _upstream.RequestCount(item.Path));
        await NothingIsFetchedAsync();
    }

    [Fact]
    public async Task JoinOrStart_TheStoreHasItByThen_GivesTheStoredOneAndAsksNobody()
    {
        SyntheticObject item = new SyntheticObject(50_000).On(_upstream);
        Assert.Equal(item.Bytes, (await _proxy.GetAsync(item.Url)).Body);
        await NothingIsFetchedAsync();
        Assert.True(_proxy.Services.GetRequiredService<RepositoryRoutes>().TryFind("synthetic.example.org"u8, out RepositoryRoute? route));

        FetchTicket ticket = Fetches.JoinOrStart(new FetchOrder(item.Key, route, item.Key.ToPath(), null, FetchPriority.Demand));

        using (ticket.Lease)
        {
            Assert.Equal((item.Bytes.Length, null, null), (ticket.Lease?.Length, ticket.Follower, ticket.Failure));
        }

        await NothingIsFetchedAsync();
        Assert.Equal(1, _upstream.RequestCount(item.Path));
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

    /// <summary>
    /// Asks for an object, reads so much of it, and leaves once the upstream stands at its gate and the proxy has nobody else.
    /// </summary>
    private async Task LeaveAsync(SyntheticObject item, int afterBytes)
    {
        RawHttpClient client = await _proxy.ConnectAsync();
        await client.SendAsync(RawHttpClient.Request("GET", item.Url));
        await _upstream.RequestsArrivedAsync(item.Path);
        if (afterBytes > 0)
        {
            Assert.Equal(200, (await client.ReadHeadAsync()).Status);
            Assert.Equal(item.Bytes[..afterBytes], await client.ReadExactlyAsync(afterBytes));
        }

        InFlightFetch fetch = Assert.Single(Fetches.InFlight);
        Assert.Equal(1, fetch.Followers);
        client.Reset();
        await Waiting.UntilAsync(() => fetch.Followers == 0);
    }

    private Task NothingIsFetchedAsync() => Waiting.UntilAsync(() => Fetches.InFlight.Count == 0);
}
