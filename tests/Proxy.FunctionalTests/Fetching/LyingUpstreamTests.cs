using Breakwater.Proxy.FunctionalTests.TestSupport;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.FunctionalTests.Fetching;

/// <summary>
/// A Stratum 1 that lies, breaks or hangs: clients get right bytes from the next one; without another they get an error or a short
/// transfer, never a complete wrong body; nothing wrong is stored.
/// </summary>
public sealed class LyingUpstreamTests
{
    /// <summary>Goes on to the next quickly, and never has to give up before it has.</summary>
    private static readonly Dictionary<string, string?> s_healing = new()
    {
        ["Proxy:FirstByteTimeout"] = "00:00:01",
        ["Proxy:AnswerTimeout"] = "00:00:30",
    };

    /// <summary>Gives up quickly.</summary>
    private static readonly Dictionary<string, string?> s_hopeless = new()
    {
        ["Proxy:FirstByteTimeout"] = "00:00:00.5",
        ["Proxy:AnswerTimeout"] = "00:00:02",
        ["Proxy:FetchPatience"] = "00:00:03",
    };

    private static readonly Dictionary<string, Func<int, UpstreamBehaviour>> s_faults = new()
    {
        ["first bit flipped"] = _ => UpstreamBehaviour.FlipsBitAt(0),
        ["last bit flipped"] = length => UpstreamBehaviour.FlipsBitAt(length - 1),
        ["truncated"] = length => UpstreamBehaviour.TruncatesAt(length / 2),
        ["truncated by one byte"] = length => UpstreamBehaviour.TruncatesAt(length - 1),
        ["truncated, no length"] = length => new UpstreamBehaviour { Chunked = true, TruncateAt = length / 2 },
        ["truncated, ends with the connection"] = length => new UpstreamBehaviour { EndsWithConnection = true, TruncateAt = length / 2 },
        ["reset"] = length => new UpstreamBehaviour { ResetAt = length / 3 },
        ["bit flipped and truncated"] = length => new UpstreamBehaviour { FlipBitAt = 9, TruncateAt = length / 2 },
        ["length too big and truncated"] = length => new UpstreamBehaviour { DeclaredLength = length + 1000, TruncateAt = length / 2 },
        ["doubled and truncated, no length"] = length =>
            new UpstreamBehaviour { DoubleBody = true, Chunked = true, TruncateAt = length + (length / 2) },
        ["doubled"] = _ => UpstreamBehaviour.Doubled,
        ["doubled, no length"] = _ => new UpstreamBehaviour { DoubleBody = true, Chunked = true },
        ["empty"] = _ => new UpstreamBehaviour { ReplaceBody = [] },
        ["length too small"] = length => new UpstreamBehaviour { DeclaredLength = length - 1 },
        ["length too big"] = length => new UpstreamBehaviour { DeclaredLength = length + 1 },
        ["404"] = _ => UpstreamBehaviour.NotFound,
        ["500"] = _ => UpstreamBehaviour.WithStatus(500),
        ["503"] = _ => UpstreamBehaviour.WithStatus(503),
        ["403"] = _ => UpstreamBehaviour.WithStatus(403),
        ["204"] = _ => new UpstreamBehaviour { Status = 204, RawAnswer = "HTTP/1.1 204 No Content\r\n\r\n"u8.ToArray() },
        ["101 that nobody asked for"] = _ => new UpstreamBehaviour { Informational = 101 },
        ["redirect"] = _ => new UpstreamBehaviour { RedirectTo = "http://127.0.0.1:9/" },
        ["HTML with 200"] = _ => UpstreamBehaviour.HtmlPage,
        ["gzip"] = _ => new UpstreamBehaviour { GzipEncode = true },
        ["not HTTP"] = _ => UpstreamBehaviour.NotHttp,
        ["closed without answer"] = _ => UpstreamBehaviour.CloseWithoutAnswer,
        ["reset without answer"] = _ => UpstreamBehaviour.ResetWithoutAnswer,
        ["never answers"] = _ => UpstreamBehaviour.NeverAnswers,
        ["stalls"] = length => UpstreamBehaviour.StallsAt(length / 2),
        ["stalls at the last byte"] = length => UpstreamBehaviour.StallsAt(length - 1),
        ["drips"] = _ => new UpstreamBehaviour { BytesPerSecond = 500 },
    };

    private static readonly DateTimeOffset s_then = new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero);

    public static TheoryData<string, int> FaultsAndSizes()
    {
        TheoryData<string, int> data = [];
        foreach (string fault in s_faults.Keys)
        {
            data.Add(fault, 40_000);
            data.Add(fault, 3 << 20);
        }

        return data;
    }

    // Nothing but the digest ends it, and its bytes go out meanwhile. A store that takes nothing for another reason changes nothing
    // of that.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Body_WithoutALengthAndLongerThanAnyObjectOfTheStore_IsCutThere(bool isFull)
    {
        const int Longest = 16 << 20; // a quarter of the quota
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(3 * Longest / 2).On(upstream);
        upstream.Everything = new UpstreamBehaviour { Chunked = true, FlipBitAt = 0 };
        var settings = new Dictionary<string, string?>(s_healing) { ["Store:QuotaBytes"] = "67108864" };
        FaultyDisk disk = new();
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartOnAsync(disk, settings, upstream);
        disk.WriteFault = isFull ? FaultyDisk.Full : null;

        RawResponse response = await proxy.GetAsync(item.Url);

        Assert.False(response.IsComplete && response.Status == 200);
        Assert.InRange(response.Body.Length, 0, Longest);
        disk.WriteFault = null;
    }

    [Theory]
    [MemberData(nameof(FaultsAndSizes))]
    public async Task Fault_AnotherStratum1IsGood_RightBytesFromThere(string fault, int sizeBytes)
    {
        await using ScriptedUpstream bad = ScriptedUpstream.Start();
        await using ScriptedUpstream good = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(sizeBytes).On(bad, good);
        bad.Everything = s_faults[fault](sizeBytes);

        // What takes longer than a second goes out meanwhile, and under a wrong length it would have to be cut.
        TimeProvider? time = bad.Everything.DeclaredLength is null && !bad.Everything.DoubleBody ? null : new FakeTimeProvider(s_then);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(s_healing, time, bad, good);
        RawResponse response = await proxy.GetAsync(item.Url);
        Assert.Equal((200, true), (response.Status, response.IsComplete));
        Assert.True(item.Bytes.AsSpan().SequenceEqual(response.Body));
        Assert.True(bad.RequestCount(item.Path) >= 1);

        // Where all the bytes came, and only more were announced, they are right.
        Assert.Equal(fault != "length too big", good.RequestCount(item.Path) >= 1);

        // What is stored is right, and is served without anybody.
        Assert.Equal(item.Bytes, await proxy.ReadStoredAsync(item.Key));
        int asked = bad.Requests.Count + good.Requests.Count;
        Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Path)).Body);
        Assert.Equal(asked, bad.Requests.Count + good.Requests.Count);
    }

    [Theory]
    [MemberData(nameof(FaultsAndSizes))]
    public async Task Fault_NoOtherStratum1_ErrorOrShortTransferAndNothingStored(string fault, int sizeBytes)
    {
        await using ScriptedUpstream bad = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(sizeBytes).On(bad);
        bad.Everything = s_faults[fault](sizeBytes);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(s_hopeless, null, bad);
        using RawHttpClient client = await proxy.ConnectAsync();
        RawResponse response = await client.GetAsync(item.Url);
        bool isRight = response.IsComplete && response.Status == 200 && item.Bytes.AsSpan().SequenceEqual(response.Body);
        bool isRefused = response.Status is 502 or 504 || (response.Status == 404 && fault == "404");
        bool isShort = response.Status == 200 && !response.IsComplete;

        // A transfer that broke may be continued by Range from the same Stratum 1, so right bytes are an answer too.
        Assert.True(isRight || isRefused || isShort,
            $"{response.Head.StatusLine}, {response.Body.Length} bytes, complete: {response.IsComplete}");
        if (await proxy.ReadStoredAsync(item.Key) is { } stored)
        {
            Assert.Equal(item.Bytes, stored);
        }
    }

    [Theory]
    [InlineData(100, 40_000)]
    [InlineData(100, 3 << 20)]
    [InlineData(103, 40_000)]
    [InlineData(103, 3 << 20)]
    public async Task InformationalAnswer_BeforeTheRealOne_RightBytesOverOneConnection(int status, int sizeBytes)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        upstream.Everything = new UpstreamBehaviour { Informational = status };
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(ProxyUnderTest.Patient, null, upstream);
        for (int i = 0; i < 2; i++)
        {
            SyntheticObject item = new SyntheticObject(sizeBytes, i).On(upstream);
            RawResponse response = await proxy.GetAsync(item.Url);
            Assert.Equal((200, true, (string?)null), (response.Status, response.IsComplete, response.Header("Link")));
            Assert.True(item.Bytes.AsSpan().SequenceEqual(response.Body));
            Assert.Equal(item.Bytes, await proxy.ReadStoredAsync(item.Key));
            Assert.Equal(1, upstream.RequestCount(item.Path));
        }

        Assert.Equal(1, upstream.ConnectionsAccepted);
    }

    [Fact]
    public async Task InformationalAnswer_PassedThrough_TheClientGetsTheRealOneAlone()
    {
        const string Path = "/cvmfs/synthetic.example.org/external/file";
        byte[] bytes = new SyntheticObject(40_000).Bytes;
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        upstream.Put(Path, bytes);
        upstream.Everything = new UpstreamBehaviour { Informational = 103 };
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(ProxyUnderTest.Patient, null, upstream);
        RawResponse response = await proxy.GetAsync("http://s1.example.org" + Path);
        Assert.Equal((200, true, (string?)null), (response.Status, response.IsComplete, response.Header("Link")));
        Assert.Equal(bytes, response.Body);
    }

    [Fact]
    public async Task WrongBytes_NoOtherStratum1_TheNextRequestAsksAgain()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(40_000).On(upstream);
        upstream.Script(item.Path, UpstreamBehaviour.FlipsBitAt(7));
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(upstream);
        Assert.Equal(502, (await proxy.GetAsync(item.Url)).Status);
        Assert.False(proxy.Store.Contains(item.Key));
        upstream.Heal();
        Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);
    }

    [Fact]
    public async Task Silence_NoOtherStratum1_504AsSoonAsTheFourSecondsAreUp()
    {
        FakeTimeProvider time = new(DateTimeOffset.UtcNow);
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(40_000).On(upstream);
        upstream.Script(item.Path, UpstreamBehaviour.NeverAnswers);
        Dictionary<string, string?> shipped =
            new() { ["Proxy:FirstByteTimeout"] = "00:00:01.500", ["Proxy:AnswerTimeout"] = "00:00:03.750" };
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(shipped, time, upstream);
        Task<RawResponse> response = proxy.GetAsync(item.Url);
        await upstream.RequestsArrivedAsync(item.Path);

        // The clock stands still but for this: an answer can come only because four seconds are over.
        time.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(504, (await response).Status);
        proxy.EndsBusy();
    }

    [Fact]
    public async Task WrongBytes_OfALiar_AreCountedAndItIsAskedLast()
    {
        await using ScriptedUpstream liar = ScriptedUpstream.Start();
        await using ScriptedUpstream good = ScriptedUpstream.Start();
        liar.Everything = UpstreamBehaviour.FlipsBitAt(7);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(ProxyUnderTest.Patient, null, liar, good);
        using var wrong = new CounterSum(proxy.Services.GetRequiredService<ProxyCounters>().WrongBodies);
        Dictionary<string, int> asked = [];
        for (int i = 0; i < 12; i++)
        {
            SyntheticObject item = new SyntheticObject(40_000, i).On(liar, good);
            Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);
        }

        int lies = liar.Requests.Count;
        Assert.InRange(lies, 1, 11);
        Assert.Equal(lies,
            await proxy.MetricAsync("breakwater_upstream_failures_total", $"upstream=\"{liar.EndPoint}\"", "kind=\"wrongbytes\""));
        Assert.Equal(lies, wrong.Value);
        Assert.InRange(await proxy.MetricAsync("breakwater_upstream_wrong_bodies_total"), lies, double.MaxValue);
        Assert.Equal(0, await proxy.MetricAsync("breakwater_upstream_failures_total", $"upstream=\"{good.EndPoint}\""));
        DestinationState state = proxy.Services.GetRequiredService<IProxyStateLookup>().GetClusters().Single(c => c.ClusterId == "test")
            .DestinationsState.AllDestinations[0];
        Assert.Equal(Stratum1State.AskedLast, proxy.Services.GetRequiredService<Stratum1Outcomes>().StateOf(state));
    }

    [Fact]
    public async Task EndlessBody_WithoutALength_EndsAtTheLargestObjectOfTheStore()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(3 << 20).On(upstream);
        Gate gate = new();
        upstream.Script(item.Path, new UpstreamBehaviour { Chunked = true, BodyGates = [(2 << 20, gate)] });
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>(ProxyUnderTest.Patient)
            {
                ["Store:MaxObjectBytes"] = "1048576",
                ["Proxy:AnswerTimeout"] = "00:00:40"
            }, null, upstream);

        Assert.Equal(502, (await proxy.GetAsync(item.Url)).Status);
        Assert.Equal(UpstreamAnswerEnd.ClientGone, await upstream.Requests[0].Ended);
        gate.Open();
    }

    [Fact]
    public async Task NotFound_EverywhereAndOnce_IsRememberedTwoSecondsAndNoLonger()
    {
        FakeTimeProvider time = new(DateTimeOffset.UtcNow);
        await using ScriptedUpstream first = ScriptedUpstream.Start();
        await using ScriptedUpstream second = ScriptedUpstream.Start();
        SyntheticObject item = new(40_000);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(null, time, first, second);
        Assert.Equal(404, (await proxy.GetAsync(item.Url)).Status);
        Assert.Equal(404, (await proxy.GetAsync(item.Url)).Status);
        Assert.Equal((1, 1), (first.RequestCount(item.Path), second.RequestCount(item.Path)));
        item.On(second);
        time.Advance(TimeSpan.FromSeconds(2.1));
        Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);
    }

    [Fact]
    public async Task NotFound_OnOneAndAnErrorOnTheOther_IsNot404()
    {
        await using ScriptedUpstream first = ScriptedUpstream.Start();
        await using ScriptedUpstream second = ScriptedUpstream.Start();
        second.Everything = UpstreamBehaviour.WithStatus(500);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(first, second);
        Assert.Equal(502, (await proxy.GetAsync(new SyntheticObject(40_000).Url)).Status);
    }

    [Fact]
    public async Task BrokenHalfWay_AnotherStratum1_ContinuesByRange()
    {
        await using ScriptedUpstream bad = ScriptedUpstream.Start();
        await using ScriptedUpstream good = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(3 << 20).On(bad, good);
        bad.Everything = UpstreamBehaviour.TruncatesAt(2 << 20);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(bad, good);
        Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);
        Assert.Equal("bytes=2097152-", Assert.Single(good.Requests).Header("Range"));
    }

    [Fact]
    public async Task Stratum1sThatCannotBeReached_TheLastOneIs_RightBytes()
    {
        ScriptedUpstream gone = ScriptedUpstream.Start();
        await gone.DisposeAsync(); // Its port refuses.
        await using ScriptedUpstream good = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(40_000).On(good);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(gone, good);
        Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);
    }
}
