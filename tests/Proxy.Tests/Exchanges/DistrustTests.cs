using Breakwater.Proxy.Exchanges;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>Origins that sent bad bodies are asked after their mirrors, for a while.</summary>
public sealed class DistrustTests
{
    private static readonly Uri s_first = new("http://a.example.org/x");
    private static readonly Uri s_second = new("http://b.example.org:8080/x");
    private readonly FakeTimeProvider _time = new();
    private readonly Distrust _distrust;

    public DistrustTests() => _distrust = new Distrust(_time);

    [Fact]
    public void Order_AfterABadBody_HasTheOthersFirstForAMinute()
    {
        Assert.Equal([s_first, s_second], _distrust.Order([s_first, s_second]));

        _distrust.Mark("A.example.org");

        Assert.Equal([s_second, s_first], _distrust.Order([s_first, s_second]));
        Assert.Equal([s_first], _distrust.Order([s_first]));
        _distrust.Mark("b.example.org:8080");
        Assert.Equal([s_first, s_second], _distrust.Order([s_first, s_second]));
    }

    [Fact]
    public void IsMarked_Origin_ForAMinuteSinceItsLastBadBody()
    {
        _distrust.Mark("a");
        _time.Advance(TimeSpan.FromSeconds(30));
        _distrust.Mark("a");
        _time.Advance(TimeSpan.FromMinutes(1) - TimeSpan.FromTicks(1));
        Assert.Equal((true, false), (_distrust.IsMarked("a"), _distrust.IsMarked("b")));

        _time.Advance(TimeSpan.FromTicks(1));
        Assert.False(_distrust.IsMarked("a"));
    }

    [Fact]
    public void Mark_MoreThanAreRemembered_ForgetsAllBefore()
    {
        for (int i = 0; i < 1000; i++)
        {
            _distrust.Mark($"h{i}");
        }

        Assert.True(_distrust.IsMarked("h0"));
        _distrust.Mark("h1000");
        Assert.Equal((false, true), (_distrust.IsMarked("h0"), _distrust.IsMarked("h1000")));
    }
}
