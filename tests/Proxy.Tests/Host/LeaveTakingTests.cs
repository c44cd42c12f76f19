using Breakwater.Proxy.Host;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Tests.Host;

public sealed class LeaveTakingTests
{
    [Theory]
    [InlineData(10, 4, 4)]
    [InlineData(10, 5, 5)]
    [InlineData(10, 6, 5)]
    [InlineData(10, 30, 5)]
    [InlineData(10, 0, 0)]
    [InlineData(0, 3, 0)]
    public void Farewell_OfTheSettings_IsHalfOfTheDrainAtMost(int drain, int farewell, int expected) => Assert.Equal(
        TimeSpan.FromSeconds(expected),
        LeaveTaking.FarewellOf(new ProxyOptions { DrainTimeout = TimeSpan.FromSeconds(drain), Farewell = TimeSpan.FromSeconds(farewell) }));
}
