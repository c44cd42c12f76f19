using Breakwater.Proxy.Fetching;

namespace Breakwater.Proxy.Tests.Fetching;

public class ReleasePolicyTests
{
    private const long Held = ReleasePolicy.HeldBackBytes;
    private const long Small = ReleasePolicy.SmallBytes;

    [Theory]
    [InlineData(Small, Small, 2.9, 0)]              // small: whole before its first byte
    [InlineData(5 * Small, 8 * Small, 0.9, 0)]      // big but quick
    [InlineData(5 * Small, 8 * Small, 1.0, (5 * Small) - Held)]
    [InlineData(8 * Small, 8 * Small, 9.0, (8 * Small) - Held)] // all here, digest not known yet: the end stays
    [InlineData(Small, Small, 3.0, Small - Held)]   // small but so slow that the client would leave
    [InlineData(1000, 1000L, 3.0, 0)]                // too small to show a part of
    [InlineData(5 * Small, null, 2.9, 0)]           // length unknown: buffered as long as can be
    [InlineData(5 * Small, null, 3.0, (5 * Small) - Held)]
    public void Released_ByLengthAndTime_HoldsBackWhatIsUnproven(long appended, long? length, double seconds, long expected) =>
        Assert.Equal(expected, ReleasePolicy.Released(appended, length, TimeSpan.FromSeconds(seconds), followers: 1));

    [Theory]
    [InlineData(Small, Small + 1, 1.0, Small - Held)]      // one byte more than small
    [InlineData(Small, Small, 1.0, 0)]
    [InlineData(Held, 8 * Small, 1.0, 0)]
    [InlineData(Held + 1, 8 * Small, 1.0, 1)]
    public void Released_AtTheBounds_IsExact(long appended, long? length, double seconds, long expected) =>
        Assert.Equal(expected, ReleasePolicy.Released(appended, length, TimeSpan.FromSeconds(seconds), followers: 1));

    [Theory]
    [InlineData(31, 0.2, 0)]
    [InlineData(32, 0.2, Small - Held)]
    [InlineData(32, 0.1, 0)]       // eight times as long makes 0.8 s
    [InlineData(32, 0.125, 0)]     // a second to the moment
    [InlineData(32, 0.126, Small - Held)]
    public void Released_ToSoMany_IsACrowdFrom32On(int followers, double seconds, long expected) =>
        Assert.Equal(expected, ReleasePolicy.Released(Small, 8 * Small, TimeSpan.FromSeconds(seconds), followers));

    [Fact]
    public void Released_ToACrowd_CanBeToldAfterATenthOfASecond()
    {
        Assert.Equal(0, ReleasePolicy.Released(Small, 80 * Small, TimeSpan.FromSeconds(0.099), 32));
        Assert.Equal(Small - Held, ReleasePolicy.Released(Small, 80 * Small, TimeSpan.FromSeconds(0.1), 32));
    }

    [Fact]
    public void Released_ToANode_IsAllButTheEndAtOnce()
    {
        Assert.Equal(Small - Held, ReleasePolicy.Released(Small, Small, TimeSpan.Zero, 1, isForNode: true));
        Assert.Equal(0, ReleasePolicy.Released(1000, null, TimeSpan.Zero, 1, isForNode: true));
    }

    [Theory]
    [InlineData(5 * Small, 8 * Small, 0.5, 0)]      // it will be whole within a second
    [InlineData(5 * Small, 8 * Small, 0.9, (5 * Small) - Held)]
    [InlineData(Small, 8 * Small, 0.2, Small - Held)]
    [InlineData(Small, 8 * Small, 0.09, 0)]         // too early to tell
    [InlineData(Small / 2, Small, 0.9, 0)]          // small
    [InlineData(0, 8 * Small, 0.9, 0)]
    public void Released_ToACrowd_AsSoonAsItIsKnownToTakeLong(long appended, long? length, double seconds, long expected) =>
        Assert.Equal(expected, ReleasePolicy.Released(appended, length, TimeSpan.FromSeconds(seconds), followers: 1000));
}
