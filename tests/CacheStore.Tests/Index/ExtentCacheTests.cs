using Breakwater.CacheStore.Index;

namespace Breakwater.CacheStore.Tests.Index;

public sealed class ExtentCacheTests
{
    /// <summary>Eight bytes for where a part is, four for when it was found right, and some for the lists.</summary>
    [Fact]
    public void Add_AnObject_TakesThirteenBytesForEachOfItsParts()
    {
        var cache = new ExtentCache();
        cache.Add(4, new long[1]);
        long one = cache.Held.Bytes;
        cache.Add(8, new long[1001]);
        Assert.Equal((2, (2 * one) + 13_000), cache.Held);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4_000)]
    public void Add_MoreObjectsThanThereIsRoomFor_StaysWithinItsBytes(int parts)
    {
        var cache = new ExtentCache();
        int most = 0;
        for (int i = 0; i < (parts == 2 ? 600_000 : 5_000); i++)
        {
            cache.Add(i, new long[parts]);
            if (i % 100 == 0) // to count them takes all locks
            {
                (int count, long bytes) = cache.Held;
                Assert.True(bytes <= ExtentCache.MaxBytes);
                most = Math.Max(most, count);
            }
        }

        Assert.InRange((long)most * ((8L * parts) + 200), 1, ExtentCache.MaxBytes + (1 << 20));
    }
}
