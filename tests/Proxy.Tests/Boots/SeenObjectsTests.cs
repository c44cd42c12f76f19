using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;

namespace Breakwater.Proxy.Tests.Boots;

public sealed class SeenObjectsTests
{
    [Fact]
    public void Add_OfAThousandObjects_KnowsEachOnceInItsOrderAndNoOther()
    {
        var seen = new SeenObjects(5000);
        ObjectKey[] keys = [.. Enumerable.Range(0, 1000).Select(i => BootFeed.Key(i))];

        Assert.All(keys, key => Assert.True(seen.Add(key)));
        Assert.All(keys, key => Assert.False(seen.Add(key)));

        Assert.Equal(1000, seen.Count);
        Assert.Equal(keys.Select(key => SeenObjects.Mark(key)), seen.Order.ToArray());
        Assert.All(keys, key => Assert.True(seen.Contains(key)));
        Assert.DoesNotContain(Enumerable.Range(1000, 1000).Select(i => BootFeed.Key(i)), key => seen.Contains(key));
    }

    /// <summary>Four bytes a place: one place an object, and a table that is at most half full.</summary>
    [Theory]
    [InlineData(0, 4 * (8 + 16))]
    [InlineData(8, 4 * (8 + 16))]
    [InlineData(9, 4 * (16 + 32))]
    [InlineData(16, 4 * (16 + 32))]
    [InlineData(17, 4 * (32 + 64))]
    public void Bytes_AsItGrows_AreTwelveAnObjectAtMostTwice(int objects, int bytes)
    {
        var seen = new SeenObjects(5000);
        for (int i = 0; i < objects; i++)
        {
            seen.Add(BootFeed.Key(i));
        }

        Assert.Equal(bytes, seen.Bytes);
    }

    [Fact]
    public void Set_ThatIsFull_SaysOfEveryObjectThatItHasIt()
    {
        var seen = new SeenObjects(2);
        seen.Add(BootFeed.Key(1));
        Assert.False(seen.Contains(BootFeed.Key(9)));

        Assert.True(seen.Add(BootFeed.Key(2)));

        Assert.True(seen.Contains(BootFeed.Key(9)));
        Assert.False(seen.Add(BootFeed.Key(9)));
        Assert.Equal(2, seen.Count);
    }

    [Fact]
    public void Mark_OfTheSameDigestOfAnotherKind_IsAnother() =>
        Assert.NotEqual(SeenObjects.Mark(BootFeed.Key(1)), SeenObjects.Mark(BootFeed.Key(1, ObjectKind.Catalog)));
}
