using Breakwater.Proxy.Cluster;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Cluster;

public sealed class NodeStrikesTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly NodeStrikes _strikes;

    public NodeStrikesTests() => _strikes = new NodeStrikes(_time);

    [Fact]
    public void Strike_ThreeInARow_IsOutForFiveSeconds()
    {
        _strikes.Strike("a");
        _strikes.Strike("a");
        Assert.False(_strikes.IsOut("a"));

        _strikes.Strike("a");
        Assert.True(_strikes.IsOut("a"));
        Assert.False(_strikes.IsOut("b"));

        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.False(_strikes.IsOut("a"));
    }

    [Fact]
    public void Strike_AnswerBetween_CountsAnew()
    {
        _strikes.Strike("a");
        _strikes.Strike("a");
        _strikes.Answered("a");
        _strikes.Strike("a");
        _strikes.Strike("a");

        Assert.False(_strikes.IsOut("a"));
    }

    [Fact]
    public void Refused_Once_IsOutAtOnce()
    {
        _strikes.Refused("a");

        Assert.True(_strikes.IsOut("a"));
    }

    [Fact]
    public void Strike_FailsAgainEachTime_IsOutTwiceAsLongUpToAMinute()
    {
        foreach (int seconds in (int[])[5, 10, 20, 40, 60, 60])
        {
            _strikes.Refused("a");
            _strikes.Refused("a");      // under way when it went out: the same fault
            _time.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromTicks(1));
            Assert.True(_strikes.IsOut("a"));
            _time.Advance(TimeSpan.FromTicks(1));
            Assert.False(_strikes.IsOut("a"));
        }
    }

    [Fact]
    public void Answered_AfterAPeriod_BeginsAtFiveSecondsAgain()
    {
        _strikes.Refused("a");
        _time.Advance(TimeSpan.FromSeconds(5));
        _strikes.Refused("a");
        _time.Advance(TimeSpan.FromSeconds(10));
        _strikes.Answered("a");
        _strikes.Refused("a");
        _time.Advance(TimeSpan.FromSeconds(5));

        Assert.False(_strikes.IsOut("a"));
    }

    [Fact]
    public void Keep_OfTheNodesThatAreLeft_ForgetsTheOthersAlone()
    {
        _strikes.Refused("a");
        _strikes.Strike("b");
        _strikes.Refused("c");
        Assert.Equal(3, _strikes.Total);

        _strikes.Keep(new HashSet<string> { "a", "b" });

        Assert.Equal((true, false, 3L), (_strikes.IsOut("a"), _strikes.IsOut("c"), _strikes.Total));
        _strikes.Strike("b");
        _strikes.Strike("b");
        Assert.True(_strikes.IsOut("b"));
    }
}
