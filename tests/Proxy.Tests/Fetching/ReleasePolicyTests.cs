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
    [InlineData(5 * Small, 8 * Small, 0.5, 0)]      // it will be whole within a second
    [InlineData(5 * Small, 8 * Small, 0.9, (5 * Small) - Held)]
    [InlineData(Small, 8 * Small, 0.2, Small - Held)]
    [InlineData(Small, 8 * Small, 0.09, 0)]         // too early to tell
    [InlineData(Small / 2, Small, 0.9, 0)]          // small
    [InlineData(0, 8 * Small, 0.9, 0)]
    public void Released_ToACrowd_AsSoonAsItIsKnownToTakeLong(long appended, long? length, double seconds, long expected) =>
        Assert.Equal(expected, ReleasePolicy.Released(appended, length, TimeSpan.FromSeconds(seconds), followers: 1000));
}
