using System.Net;
using System.Text;
using Breakwater.CacheStore.Hashing;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.TestSupport;

/// <summary>The bench itself: a fault that it does not really inject would make every test built on it pass.</summary>
public sealed class ScriptedUpstreamTests : IAsyncLifetime
{
    private const string Path = "/cvmfs/x.example.org/data/aa/file";
    private static readonly byte[] s_body = Encoding.ASCII.GetBytes(new string('a', 40_000));
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();

    public Task InitializeAsync()
    {
        _upstream.Put(Path, s_body);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _upstream.DisposeAsync();

    [Theory]
    [InlineData("tiny.example.org")]
    [InlineData("rmd.example.org")]
    [InlineData("shake.example.org")]
    [InlineData("nocomp.example.org")]
    [InlineData("minios.example.org")]
    public void FixtureRepository_EveryObject_HashesToItsKey(string fqrn)
    {
        FixtureRepository repository = FixtureRepository.Load(fqrn);
        Assert.True(repository.Objects.Count > 200);
        Assert.All(repository.Objects, o => Assert.True(o.Key.DigestEquals(ObjectHasher.Hash(o.Key.Algorithm, o.Value)), o.Key.ToString()));
        Assert.Contains(".cvmfspublished", repository.Documents.Select(d => d.Key));
    }

    [Theory]
    [InlineData(Path)]
    [InlineData("http://s1.example.org" + Path)]
    public async Task Get_EitherForm_ServesAndCounts(string target)
    {
        using RawHttpClient client = await RawHttpClient.ConnectAsync(_upstream.EndPoint);
        RawResponse first = await client.GetAsync(target);
        RawResponse second = await client.GetAsync(target);
        Assert.Equal((200, 200), (first.Status, second.Status));
        Assert.Equal(s_body, second.Body);
        Assert.Equal("max-age=259200", second.Header("cache-control"));
        Assert.Equal((2, 2, 1), (_upstream.RequestCount(Path), _upstream.ObjectRequestCount, _upstream.ConnectionsAccepted));
        Assert.Equal("cvmfs Fuse 2.11.5", _upstream.Requests[0].Header("User-Agent"));
    }

    [Fact]
    public async Task Get_OnIPv6_Serves()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start(IPAddress.IPv6Loopback);
        upstream.Put(Path, s_body);
        Assert.Equal(s_body, (await RawHttpClient.GetOnceAsync(upstream.EndPoint, Path)).Body);
    }

    [Fact]
    public async Task Get_GateInTheBody_SendsWhatIsBeforeItOnly()
    {
        Gate gate = new();
        _upstream.Script(Path, UpstreamBehaviour.WaitsAt(30_000, gate));
        using RawHttpClient client = await RawHttpClient.ConnectAsync(_upstream.EndPoint);
        await client.SendAsync(RawHttpClient.Request("GET", Path));
        RawResponseHead head = await client.ReadHeadAsync();
        byte[] before = await client.ReadExactlyAsync(30_000);
        await gate.Reached;
        Assert.Equal(0, client.Socket.Available);
        gate.Open();
        byte[] after = await client.ReadExactlyAsync(10_000);
        Assert.Equal(40_000, head.ContentLength);
        Assert.Equal(s_body, before.Concat(after));
        Assert.Equal(UpstreamAnswerEnd.Sent, await _upstream.Requests[0].Ended);
    }

    [Fact]
    public async Task Get_ClientLeavesAtTheGate_IsSeen()
    {
        _upstream.Script(Path, UpstreamBehaviour.StallsAt(10));
        RawHttpClient client = await RawHttpClient.ConnectAsync(_upstream.EndPoint);
        await client.SendAsync(RawHttpClient.Request("GET", Path));
        await client.ReadHeadAsync();
        client.Reset();
        Assert.Equal(UpstreamAnswerEnd.ClientGone, await _upstream.Requests[0].Ended);
    }

    [Fact]
    public async Task Get_Faults_AreOnTheWire()
    {
        _upstream.ScriptNext(
            Path,
            UpstreamBehaviour.TruncatesAt(100),
            UpstreamBehaviour.FlipsBitAt(5),
            UpstreamBehaviour.Doubled,
            UpstreamBehaviour.NotFound,
            UpstreamBehaviour.WithStatus(503),
            UpstreamBehaviour.HtmlPage,
            new UpstreamBehaviour { GzipEncode = true },
            new UpstreamBehaviour { DeclaredLength = 50_000 },
            new UpstreamBehaviour { Chunked = true },
            new UpstreamBehaviour { EndsWithConnection = true },
            new UpstreamBehaviour { RedirectTo = "http://elsewhere.example.org/" },
            new UpstreamBehaviour { ResetAt = 7 });
        RawResponse truncated = await GetAsync();
        Assert.Equal((100, false, 40_000L), (truncated.Body.Length, truncated.IsComplete, truncated.Head.ContentLength));
        RawResponse flipped = await GetAsync();
        Assert.Equal(((byte)'a' ^ 1, 40_000), (flipped.Body[5], flipped.Body.Length));
        Assert.Equal(80_000, (await GetAsync()).Body.Length);
        Assert.Equal(404, (await GetAsync()).Status);
        Assert.Equal(503, (await GetAsync()).Status);
        Assert.Equal("text/html", (await GetAsync()).Header("Content-Type"));
        Assert.Equal("gzip", (await GetAsync()).Header("Content-Encoding"));
        Assert.False((await GetAsync()).IsComplete);
        RawResponse chunked = await GetAsync();
        Assert.True(chunked.Head.IsChunked && chunked.Head.ContentLength is null);
        Assert.Equal(s_body, chunked.Body);
        RawResponse unframed = await GetAsync();
        Assert.Null(unframed.Head.ContentLength);
        Assert.Equal(s_body, unframed.Body);
        Assert.Equal("http://elsewhere.example.org/", (await GetAsync()).Header("Location"));
        Assert.False((await GetAsync()).IsComplete);
        Assert.Equal(s_body, (await GetAsync()).Body); // The script is used up.
    }

    [Fact]
    public async Task Get_NoAnswer_ConnectionEnds()
    {
        _upstream.ScriptNext(Path, UpstreamBehaviour.CloseWithoutAnswer, UpstreamBehaviour.ResetWithoutAnswer);
        await Assert.ThrowsAsync<EndOfStreamException>(GetAsync);
        await Assert.ThrowsAsync<EndOfStreamException>(GetAsync);
        _upstream.ScriptNext(Path, UpstreamBehaviour.NotHttp);
        await Assert.ThrowsAnyAsync<Exception>(GetAsync);
    }

    [Fact]
    public async Task Get_Range_IsPartialUnlessSwitchedOff()
    {
        RawResponse part = await RawHttpClient.GetOnceAsync(_upstream.EndPoint, Path, "Range: bytes=39990-");
        Assert.Equal((206, "bytes 39990-39999/40000", 10), (part.Status, part.Header("Content-Range"), part.Body.Length));
        _upstream.Everything = new UpstreamBehaviour { SupportsRange = false };
        RawResponse whole = await RawHttpClient.GetOnceAsync(_upstream.EndPoint, Path, "Range: bytes=39990-");
        Assert.Equal((200, 40_000), (whole.Status, whole.Body.Length));
    }

    [Fact]
    public async Task Get_InformationalFirst_BothHeadsAreRead()
    {
        _upstream.Script(Path, new UpstreamBehaviour { Informational = 103 });
        using RawHttpClient client = await RawHttpClient.ConnectAsync(_upstream.EndPoint);
        await client.SendAsync(RawHttpClient.Request("GET", Path));
        Assert.Equal(103, (await client.ReadHeadAsync()).Status);
        Assert.Equal(s_body, (await client.ReadResponseAsync()).Body);
    }

    private Task<RawResponse> GetAsync() => RawHttpClient.GetOnceAsync(_upstream.EndPoint, Path);
}
