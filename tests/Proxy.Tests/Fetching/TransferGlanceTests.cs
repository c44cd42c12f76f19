using Breakwater.Proxy.Fetching;

namespace Breakwater.Proxy.Tests.Fetching;

public sealed class TransferGlanceTests
{
    [Theory]
    [InlineData(3.75, false, 1)]
    [InlineData(3.75, true, 0.4)]
    [InlineData(15, false, 1)]
    [InlineData(60, false, 4)]
    [InlineData(60, true, 1.6)]
    public void Glance_WhereAnswersHaveMoreTime_IsLater(double answerTimeout, bool isHeld, double expected) =>
        Assert.Equal(TimeSpan.FromSeconds(expected), Transfer.GlanceFor(TimeSpan.FromSeconds(answerTimeout), isHeld));
}
