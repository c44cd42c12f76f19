using Breakwater.CacheStore.Index;

namespace Breakwater.CacheStore.Tests.Index;

public sealed class ExtentCacheTests
{
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
            Assert.True(cache.Held.Bytes <= ExtentCache.MaxBytes);
            most = Math.Max(most, i % 1000 == 0 ? cache.Held.Count : 0);
        }

        Assert.InRange((long)most * ((8L * parts) + 200), 1, ExtentCache.MaxBytes + (1 << 20));
    }
}
