using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Tests.Caching;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>Parts that an origin sends: whose they are, and which are nobody's.</summary>
public sealed class AnswerKeeperTests(SliceStore store) : IClassFixture<SliceStore>
{
    private const string Part = "Content-Range: bytes 0-2/9|Cache-Control: no-store";

    [Theory]
    [InlineData("", 206, Part, false)]
    [InlineData("Range: bytes=0-2", 206, Part, true)]
    [InlineData("Range: bytes=1-3", 206, Part, false)]
    [InlineData("Range: bytes=0-2", 200, "X: y", true)]
    public async Task AsAsked_APartThatNobodyAskedFor_IsNobodys(string asked, int status, string fields, bool isGood)
    {
        await using var bench = new OriginBench(store);
        bool isDisposed = false;
        using FetchedAnswer answer = Answers.Of(fields, status, length: 3);
        answer.WhenDisposed(() => isDisposed = true);

        ExchangeAnswer given = bench.Keeper.AsAsked(Headers.OfText(asked), answer);

        Assert.Equal((isGood, !isGood), (ReferenceEquals(given.Live, answer), isDisposed));
        Assert.Equal(isGood ? null : (FailureKind?)FailureKind.BadHead, given.Failure?.Kind);
    }

    /// <summary>What was planned for everybody and came otherwise is asked for anew; what a client asked for is the client's.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Keep_APartThatMayNotBeKept_IsItsClientsUnlessItWasPlanned(bool isPlanned)
    {
        await using var bench = new OriginBench(store);
        Exchange exchange = Answers.Exchange(fields: "Range: bytes=0-2");
        using FetchedAnswer answer = Answers.Of(Part, 206, length: 3);

        ExchangeAnswer? kept = bench.Keeper.Keep(
            exchange, exchange.Fields, answer, isPlanned ? new RangePlan(0, BodySlice.SizeBytes) : null);

        Assert.Equal((isPlanned, !isPlanned), (kept is null, ReferenceEquals(kept?.Live, answer)));
    }

    /// <summary>A part counts by the whole that it is of.</summary>
    [Theory]
    [InlineData(9, true)]
    [InlineData(8, false)]
    public async Task Keep_APartOfALongerBodyThanItsRuleAllows_IsAskedForAnew(int most, bool isKept)
    {
        await using var bench = new OriginBench(store);
        Exchange exchange = Answers.Exchange($"http://o.example.org/most/{most}", "Range: bytes=0-2") with
        {
            Rule = CachingRule.Default with { MaxObjectBytes = most },
        };
        using FetchedAnswer answer = Answers.Of(
            "Content-Range: bytes 0-8/9|Cache-Control: max-age=60|ETag: \"a\"", 206, length: 9, body: new MemoryStream(new byte[9]));

        ExchangeAnswer? kept = bench.Keeper.Keep(exchange, exchange.Fields, answer, new RangePlan(0, BodySlice.SizeBytes));

        Assert.Equal(isKept, kept is not null);
    }
}
