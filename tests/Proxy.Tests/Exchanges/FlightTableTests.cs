using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Tests.Caching;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>Who waits for whose answer, and where nobody waits for a while.</summary>
public sealed class FlightTableTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly FlightTable _flights;

    public FlightTableTests() => _flights = new FlightTable(_time);

    [Fact]
    public void JoinOrStart_UntilTheAnswerHasCome_IsOneFlight()
    {
        Flight first = _flights.JoinOrStart("a", out bool isNew)!;
        Assert.True(isNew);
        Assert.Same(first, _flights.JoinOrStart("a", out isNew));
        Assert.False(isNew);
        Flight other = _flights.JoinOrStart("b", out isNew)!;
        Assert.True(isNew);
        Assert.Equal((2, 3), (first.Waiting, _flights.Waiting));

        first.Answer.SetResult(new ExchangeAnswer());

        Assert.Equal(1, _flights.Waiting);
        Assert.Null(_flights.JoinOrStart("a", out isNew));
        Assert.False(isNew);
        Assert.True(_flights.TryFind("a", out Flight? found));
        Assert.Same(first, found);
        Assert.NotSame(first, other);
    }

    [Fact]
    public void Remove_OfAFlight_TakesThatOneAlone()
    {
        Flight first = _flights.JoinOrStart("a", out _)!;
        _flights.Remove("a", first);
        Assert.False(_flights.TryFind("a", out _));
        Flight second = _flights.JoinOrStart("a", out bool isNew)!;
        Assert.True(isNew);

        _flights.Remove("a", first);

        Assert.True(_flights.TryFind("a", out Flight? found));
        Assert.Same(second, found);
        _flights.Remove("b", second);
        Assert.True(_flights.TryFind("a", out _));
    }

    [Fact]
    public void Mark_OfWhatWasForOne_LetsNobodyWaitForHalfAMinute()
    {
        _flights.Mark("a");
        Assert.Null(_flights.JoinOrStart("a", out bool isNew));
        Assert.False(isNew);
        Assert.NotNull(_flights.JoinOrStart("b", out _));
        _time.Advance(TimeSpan.FromSeconds(30) - TimeSpan.FromTicks(1));
        Assert.Null(_flights.JoinOrStart("a", out _));

        _time.Advance(TimeSpan.FromTicks(1));
        Assert.NotNull(_flights.JoinOrStart("a", out isNew));
        Assert.True(isNew);
    }

    [Fact]
    public void Unmark_OfWhatCanBeSharedAfterAll_LetsThemWait()
    {
        _flights.Mark("a");
        _flights.Unmark("a");

        Assert.NotNull(_flights.JoinOrStart("a", out _));
    }

    [Fact]
    public void Mark_MoreThanAreRemembered_ForgetsAllBefore()
    {
        for (int i = 0; i < 10_000; i++)
        {
            _flights.Mark($"m{i}");
        }

        Assert.Null(_flights.JoinOrStart("m0", out _));
        _flights.Mark("last");

        Assert.NotNull(_flights.JoinOrStart("m0", out _));
        Assert.Null(_flights.JoinOrStart("last", out _));
    }

    [Fact]
    public void NameOf_Request_IsThatOfAllWhoMayWaitForOneAnother()
    {
        string plain = FlightTable.NameOf("http://h/x", null, Headers.Of("a: 1"));
        string varied = FlightTable.NameOf("http://h/x", Headers.Stored("Vary: a", request: "a: 2"), Headers.Of("a: 1"));

        Assert.Equal(plain, FlightTable.NameOf("http://h/x", null, Headers.Of("a: 2")));
        Assert.Equal(varied, FlightTable.NameOf("http://h/x", Headers.Stored("Vary: a", request: "a: 3"), Headers.Of("a: 1")));
        Assert.Equal(6, new HashSet<string>
        {
            plain, varied, FlightTable.NameOf("http://h/y", null, Headers.Of("a: 1")),
            FlightTable.NameOf("http://h/x", Headers.Stored("Vary: a"), Headers.Of("a: 2")),
            FlightTable.NameOfSite(plain), FlightTable.NameOfParts(plain),
        }.Count);
    }
}
