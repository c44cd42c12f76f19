using Breakwater.Proxy.Exchanges;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>How long, and for which request, an answer stays ready.</summary>
public sealed class ReadyAnswerUseTests
{
    private static readonly DateTimeOffset s_made = new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0, 0, true)]
    [InlineData(59.9, 59.9, true)]
    [InlineData(60, 59.9, false)]
    [InlineData(59.9, 60, false)]
    [InlineData(10, 9.1, true)]
    [InlineData(10, 9, false)]
    [InlineData(9.1, 10, true)]
    [InlineData(9, 10, false)]
    [InlineData(-0.9, 0, true)]
    [InlineData(-1, 0, false)]
    public void MayBeUsed_ByBothClocks_WhileTheyAgreeAndItWasAMomentAgo(double wall, double elapsed, bool may) =>
        Assert.Equal(may, Answer(TimeSpan.FromDays(1)).MayBeUsed(s_made.AddSeconds(wall), TimeSpan.FromSeconds(elapsed)));

    [Theory]
    [InlineData(9.9, true)]
    [InlineData(10, false)]
    public void MayBeUsed_WhileItIsFresh(double seconds, bool may)
    {
        ReadyAnswer answer = Answer(TimeSpan.FromSeconds(17));

        Assert.Equal(TimeSpan.FromSeconds(7 + seconds), answer.Age(s_made.AddSeconds(seconds)));
        Assert.Equal(may, answer.MayBeUsed(s_made.AddSeconds(seconds), TimeSpan.FromSeconds(seconds)));
    }

    [Fact]
    public void IsFor_TheSameTargetAndHostAlone()
    {
        ReadyAnswer answer = Answer(TimeSpan.FromDays(1));

        Assert.True(answer.IsFor(7, "/x"u8, "h"u8));
        Assert.False(answer.IsFor(8, "/x"u8, "h"u8));
        Assert.False(answer.IsFor(7, "/y"u8, "h"u8));
        Assert.False(answer.IsFor(7, "/x"u8, "i"u8));
    }

    /// <summary>It had an age of five seconds when it came, two seconds before it was made ready.</summary>
    private static ReadyAnswer Answer(TimeSpan lifetime) => SomeReadyAnswer.Of(7, "/x", "h", s_made, lifetime);
}
