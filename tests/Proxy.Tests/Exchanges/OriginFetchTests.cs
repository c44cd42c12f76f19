using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Tests.Caching;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>One URL asked of its origin: what is kept, what is passed on, and that places come back whatever happens.</summary>
public sealed class OriginFetchTests(SliceStore store) : IClassFixture<SliceStore>
{
    private readonly string _path = $"/{Guid.NewGuid():N}";

    /// <summary>What a POST brought answers a GET only if it says that it is what is there, and for how long (RFC 9110, 9.3.3).</summary>
    [Theory]
    [InlineData("POST", 200, "max-age=60", true, true)]
    [InlineData("POST", 200, "max-age=60", false, false)]
    [InlineData("POST", 200, "public", true, false)]
    [InlineData("POST", 201, "max-age=60", true, false)]
    [InlineData("PUT", 200, "max-age=60", true, false)]
    public async Task Pass_OfAnotherMethod_IsKeptOnlyWhenItSaysThatItIsWhatIsThere(
        string method, int status, string cacheControl, bool isOfItself, bool isKept)
    {
        await using var bench = new OriginBench(store);
        Exchange exchange = bench.Exchange(_path, method);
        bench.Origin.Put(_path, [1, 2, 3]);
        bench.Origin.Script(_path, new UpstreamBehaviour
        {
            Status = status,
            CacheControl = status == 200 ? cacheControl : null,
            ExtraHeaders =
            [
                status == 200 ? "X: y" : "Cache-Control: " + cacheControl, isOfItself ? "Content-Location: " + _path : "X: z",
            ],
        });

        ExchangeAnswer answer = await bench.Fetch.PassAsync(exchange, null, default).InTimeAsync();

        Assert.Equal(("method", isKept, !isKept), (answer.Forwarded, answer.Head is not null, answer.Live is not null));
        answer.Live?.Dispose();
        if (answer.Feed is { } feed)
        {
            Assert.True(await feed.Completion.Task.InTimeAsync());
        }

        Assert.Equal(isKept, bench.Heads.Find(exchange.Target.Uri) is not null);
        await bench.AtRestAsync();
    }

    /// <summary>What may have changed something makes what is stored useless; what failed, or only asked, does not.</summary>
    [Theory]
    [InlineData("DELETE", 200, false)]
    [InlineData("POST", 303, false)]
    [InlineData("POST", 404, true)]
    [InlineData("POST", 500, true)]
    [InlineData("OPTIONS", 200, true)]
    [InlineData("TRACE", 200, true)]
    public async Task Pass_OfAnotherMethod_ForgetsWhatIsStoredIfItDidSomething(string method, int status, bool isKept)
    {
        await using var bench = new OriginBench(store);
        Exchange exchange = bench.Exchange(_path, method);
        bench.Origin.Put(_path, [1, 2, 3]);
        bench.Origin.Script(_path, UpstreamBehaviour.WithStatus(status));
        bench.Heads.Put(exchange.Target.Uri, Headers.Stored("Cache-Control: max-age=60"));

        ExchangeAnswer answer = await bench.Fetch.PassAsync(exchange, null, default).InTimeAsync();
        answer.Live!.Dispose();

        Assert.Equal((status, isKept), (answer.Live.Status, bench.Heads.Find(exchange.Target.Uri) is not null));
        await bench.AtRestAsync();
    }

    /// <summary>More than 64 KiB of fields are no head.</summary>
    [Theory]
    [InlineData(63, true)]
    [InlineData(64, false)]
    public async Task Ask_AnOriginWithALongHead_IsAnsweredUpToABound(int kibibytes, bool isAnswered)
    {
        await using var bench = new OriginBench(store);
        bench.Origin.Put(_path, [1]);
        bench.Origin.Script(_path, new UpstreamBehaviour { ExtraHeaders = ["X: " + new string('x', kibibytes << 10)] });

        ExchangeAnswer answer = await bench.Fetch.AskAsync(bench.Exchange(_path), null, null, isForAll: false, default).InTimeAsync();
        answer.Live?.Dispose();

        Assert.Equal(isAnswered, answer.Failure is null);
        if (answer.Feed is { } feed)
        {
            await feed.Completion.Task.InTimeAsync();
        }

        await bench.AtRestAsync();
    }

    /// <summary>
    /// An origin that cannot be reached holds no place: more than there are places can be asked for, one after the other.
    /// </summary>
    [Theory]
    [InlineData("gone")]
    [InlineData("empty")]
    [InlineData("refused")]
    public async Task Ask_WhateverComesOfIt_GivesItsPlaceBack(string what)
    {
        await using var bench = new OriginBench(store);
        bench.Origin.Put(_path, []);
        bench.Origin.Script(_path, what switch
        {
            "gone" => UpstreamBehaviour.ResetWithoutAnswer,
            "refused" => UpstreamBehaviour.WithStatus(304) with { CloseAfterAnswer = true },
            _ => UpstreamBehaviour.Default with { CacheControl = "max-age=60" },
        });
        for (int i = 0; i < 2 * OriginBench.Places; i++)
        {
            Exchange exchange = bench.Exchange(_path);
            ExchangeAnswer answer = await bench.Fetch.AskAsync(exchange, null, null, isForAll: true, default).InTimeAsync();

            Assert.Equal(
                what switch { "gone" => FailureKind.Broken, "refused" => FailureKind.BadHead, _ => (FailureKind?)null },
                answer.Failure?.Kind);
            Assert.Equal(what == "empty" ? 0L : null, answer.Head?.Length);
            Assert.Null(answer.Live);
        }

        await bench.AtRestAsync();
    }

    /// <summary>What is stored stands in for an origin that fails, and for nothing else that it says.</summary>
    [Theory]
    [InlineData(499, false)]
    [InlineData(500, true)]
    [InlineData(0, true)]
    public async Task Ask_AnOriginThatFails_IsAnsweredByWhatIsStored(int status, bool isStale)
    {
        await using var bench = new OriginBench(store);
        bench.Origin.Put(_path, [1]);
        bench.Origin.Script(_path, status == 0 ? UpstreamBehaviour.ResetWithoutAnswer : UpstreamBehaviour.WithStatus(status));
        StoredHead stored = Headers.Stored("ETag: \"a\"|Cache-Control: max-age=60");
        bench.Time.Advance(TimeSpan.FromSeconds(100));

        ExchangeAnswer answer = await bench.Fetch.AskAsync(bench.Exchange(_path), stored, null, isForAll: true, default).InTimeAsync();

        Assert.Equal((isStale ? AnswerOrigin.StaleOnError : AnswerOrigin.Fetched, status == 0 ? null : (int?)status),
            (answer.Origin, answer.ForwardedStatus));
        Assert.Equal(isStale, ReferenceEquals(stored, answer.Head));
        await EndAsync(answer);
        await bench.AtRestAsync();
    }

    /// <summary>A mirror is asked after an origin that fails, and after no other answer.</summary>
    [Theory]
    [InlineData(499, false)]
    [InlineData(500, true)]
    public async Task Ask_AnOriginWithAMirror_AsksThatOneWhenTheFirstFails(int status, bool asksBoth)
    {
        await using var bench = new OriginBench(store);
        string mirror = _path + "m";
        bench.Origin.Put(mirror, [1]);
        bench.Origin.Script(_path, UpstreamBehaviour.WithStatus(status));
        Exchange exchange = bench.Exchange(_path);
        exchange = exchange with
        {
            Target = exchange.Target with { Upstreams = [.. exchange.Target.Upstreams, new Uri(bench.Origin.Address + mirror[1..])] },
        };

        ExchangeAnswer answer = await bench.Fetch.AskAsync(exchange, null, null, isForAll: true, default).InTimeAsync();

        Assert.Equal((asksBoth ? 200 : status, asksBoth ? 1 : 0), (answer.ForwardedStatus, bench.Origin.RequestCount(mirror)));
        await EndAsync(answer);
        await bench.AtRestAsync();
    }

    /// <summary>A head that differs from what is stored makes that useless; one that agrees renews it (RFC 9111, 4.3.5).</summary>
    [Theory]
    [InlineData("ETag: \"a\"", 3, true)]
    [InlineData("ETag: \"b\"", 3, false)]
    [InlineData("ETag: \"a\"", 4, false)]
    public async Task Head_OfWhatIsStored_RenewsOrForgetsIt(string tag, int length, bool isSame)
    {
        await using var bench = new OriginBench(store);
        Exchange exchange = bench.Exchange(_path, "HEAD");
        bench.Origin.Put(_path, new byte[length]);
        bench.Origin.Script(_path, UpstreamBehaviour.Default with { CacheControl = "max-age=60", ExtraHeaders = [tag] });
        StoredHead stored = Headers.Stored("ETag: \"a\"|Cache-Control: max-age=7", length: 3);
        bench.Heads.Put(exchange.Target.Uri, stored);
        bench.Time.Advance(TimeSpan.FromSeconds(100));

        ExchangeAnswer answer = await bench.Fetch.HeadAsync(exchange, stored, default).InTimeAsync();
        answer.Live!.Dispose();

        Assert.Equal("stale", answer.Forwarded);
        StoredHead? left = bench.Heads.Find(exchange.Target.Uri)?.Newest;
        Assert.Equal(isSame ? "max-age=60" : null, left?.Fields.Only("Cache-Control"));
        await bench.AtRestAsync();
    }

    /// <summary>Lets go of an answer; what is kept of it has come when this returns.</summary>
    private static async Task EndAsync(ExchangeAnswer answer)
    {
        answer.Live?.Dispose();
        await (answer.Feed?.Completion.Task ?? Task.CompletedTask).InTimeAsync();
    }
}
