using System.Globalization;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.Http;

/// <summary>Clients that fetch one big file in many parts at a time, as aria2c does: no slice is asked of the origin twice.</summary>
public sealed class ParallelRangesTests
{
    private const int Mebibyte = 1 << 20;
    private const int Parts = 16;

    private readonly byte[] _file = new SyntheticObject((16 * Mebibyte) + 12_345).Bytes;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Parts_OfAColdFileAllAtOnce_CostItOnce(bool hasEnds)
    {
        await using HttpOrigin origin = await StartOriginAsync();
        await using ProxyUnderTest proxy = await ExchangeTests.StartAsync(origin);

        await Task.WhenAll(Offsets().Select(part => AssertPartAsync(proxy, part, hasEnds))).InTimeAsync();

        if (hasEnds)
        {
            Assert.InRange(origin.PromisedBytes, _file.Length, _file.Length * 1.01);
        }

        long before = origin.PromisedBytes;
        await Task.WhenAll(Offsets().Select(part => AssertPartAsync(proxy, part, hasEnds))).InTimeAsync();
        Assert.Equal(before, origin.PromisedBytes);
    }

    [Fact]
    public async Task Parts_OfABodyThatComesFast_WaitForIt()
    {
        Gate rest = new();
        await using HttpOrigin origin = await StartOriginAsync(rest);

        // No time passes: the body is as fast as can be.
        await using ProxyUnderTest proxy = await StartAsync(origin, new FakeTimeProvider(DateTimeOffset.UtcNow));
        Task<RawResponse> whole = ExchangeTests.AskAsync(proxy, "/f");
        await rest.Reached;
        Task parts = Task.WhenAll(Offsets().Select(part => AssertPartAsync(proxy, part, hasEnds: false)));
        rest.Open();

        Assert.True((await whole.InTimeAsync()).Body.AsSpan().SequenceEqual(_file));
        await parts.InTimeAsync();
        Assert.Equal(["GET /f"], origin.Asked);
    }

    [Fact]
    public async Task Part_FarBehindABodyThatStandsStill_IsAskedFor()
    {
        Gate rest = new();
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using HttpOrigin origin = await StartOriginAsync(rest);
        await using ProxyUnderTest proxy = await StartAsync(origin, time);
        Task<RawResponse> whole = ExchangeTests.AskAsync(proxy, "/f");
        await rest.Reached;

        Task<RawResponse>[] parts = [.. Enumerable.Range(0, 4).Select(i => ExchangeTests.AskAsync(
            proxy, "/f", $"Range: bytes={(12 * Mebibyte) + i}-{(13 * Mebibyte) - 1}\r\n"))];
        await Waiting.UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(20));
            return Array.TrueForAll(parts, part => part.IsCompleted);
        });
        string[] asked = origin.Asked;
        rest.Open();

        RawResponse[] answers = await Task.WhenAll(parts);
        Assert.All(answers.Index(), answer => Assert.True(answer.Item.Status == 206 && answer.Item.Body.AsSpan().SequenceEqual(
            _file.AsSpan((12 * Mebibyte) + answer.Index, Mebibyte - answer.Index))));
        Assert.True((await whole.InTimeAsync()).Body.AsSpan().SequenceEqual(_file));
        Assert.Equal(["GET /f", $"GET /f bytes={12 * Mebibyte}-{(13 * Mebibyte) - 1}"], asked);
    }

    /// <summary>aria2c ends its request for the whole when it has its first part of it; who reads on behind is not there yet.</summary>
    [Fact]
    public async Task Body_WhoseFirstClientLeaves_IsGoneOnWithForWhoReadsFarBehind()
    {
        const int Stored = 16 * Mebibyte;
        byte[] file = new SyntheticObject((90 * Mebibyte) + 12_345).Bytes;
        Gate rest = new();
        await using HttpOrigin origin = await StartOriginAsync(file, rest, Stored);
        await using ProxyUnderTest proxy = await StartAsync(origin, TimeProvider.System, quotaShare: "0.9");
        using RawHttpClient behind = await RawHttpClient.ConnectShortAsync(proxy.EndPoint);
        RawResponseHead head;
        using (RawHttpClient first = await proxy.ConnectAsync())
        {
            await first.SendAsync("GET /f HTTP/1.1\r\nHost: repo.example.com\r\n\r\n");
            await first.ReadHeadAsync();
            await rest.Reached;
            await Waiting.UntilAsync(() => ((FasterObjectStore)proxy.Store.Named.Slices).Statistics.Objects == Stored / Mebibyte);
            await behind.SendAsync($"GET /f HTTP/1.1\r\nHost: repo.example.com\r\nRange: bytes=0-{file.Length - 2}\r\n\r\n");
            head = await behind.ReadHeadAsync();
        }

        await proxy.CountedAsync(1);
        rest.Open();
        (byte[] body, _) = await behind.ReadBodyAsync(head).InTimeAsync();

        Assert.True(file.AsSpan(0, file.Length - 1).SequenceEqual(body));
        Assert.Equal(["GET /f"], origin.Asked);
    }

    [Fact]
    public async Task Parts_OfAnOriginThatKnowsNone_ComeFromOneBody()
    {
        await using HttpOrigin origin = await HttpOrigin.StartAsync(async context =>
        {
            context.Request.Headers.Remove("Range");
            await HttpOrigin.ServeAsync(context, _file, "\"a\"", "max-age=86400");
        });
        await using ProxyUnderTest proxy = await ExchangeTests.StartAsync(origin);

        await Task.WhenAll(Offsets().Select(part => AssertPartAsync(proxy, part, hasEnds: true))).InTimeAsync();

        Assert.Single(origin.Asked);
    }

    private Task<HttpOrigin> StartOriginAsync(Gate? rest = null) => StartOriginAsync(_file, rest, Mebibyte);

    /// <summary>Of the whole, so many bytes come before the gate; a part comes at once.</summary>
    private static Task<HttpOrigin> StartOriginAsync(byte[] file, Gate? rest, int before) => HttpOrigin.StartAsync(async context =>
    {
        if (rest is not null && context.Request.Headers.Range.Count == 0)
        {
            context.Response.Headers.ETag = "\"a\"";
            context.Response.Headers.CacheControl = "max-age=86400";
            context.Response.ContentLength = file.Length;
            await context.Response.Body.WriteAsync(file.AsMemory(0, before));
            await rest.PassAsync();
            await context.Response.Body.WriteAsync(file.AsMemory(before), context.RequestAborted);
            return;
        }

        await HttpOrigin.ServeAsync(context, file, "\"a\"", "max-age=86400");
    });

    private IEnumerable<(int First, int End)> Offsets()
    {
        int each = _file.Length / Parts;
        return Enumerable.Range(0, Parts).Select(i => (i * each, i == Parts - 1 ? _file.Length : (i + 1) * each));
    }

    private async Task AssertPartAsync(ProxyUnderTest proxy, (int First, int End) part, bool hasEnds)
    {
        string end = hasEnds ? (part.End - 1).ToString(CultureInfo.InvariantCulture) : "";
        RawResponse answer = await ExchangeTests.AskAsync(proxy, "/f", $"Range: bytes={part.First}-{end}\r\n");

        Assert.Equal((206, true), (answer.Status, answer.IsComplete));
        Assert.True(_file.AsSpan(part.First..(hasEnds ? part.End : _file.Length)).SequenceEqual(answer.Body));
    }

    private static Task<ProxyUnderTest> StartAsync(HttpOrigin origin, TimeProvider time, string quotaShare = "0.3") =>
        ProxyUnderTest.StartAsync(new Dictionary<string, string?>
        {
            ["Http:Sites:*:Origin"] = origin.Address,
            ["Http:QuotaShare"] = quotaShare,
            ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = "http://127.0.0.1:9/",
        },
        time);
}
