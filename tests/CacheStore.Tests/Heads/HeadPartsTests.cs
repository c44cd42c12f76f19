using System.Buffers.Binary;
using System.Text;
using Breakwater.CacheStore.Heads;
using Breakwater.CacheStore.Log;

namespace Breakwater.CacheStore.Tests.Heads;

/// <summary>Where heads are, and what an entry of one has in it.</summary>
public sealed class HeadPartsTests
{
    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(4, 1, 64)]
    [InlineData(64, 64, 64)]
    [InlineData(1L << 40, 65, 128)]
    [InlineData((1L << 49) - 4, (4 << 20) - 64, (4 << 20) - 64)]
    public void Place_OfAnEntry_HasItsAddressAndAtLeastItsLength(long address, long length, int most)
    {
        HeadPlace place = new(address, length);
        Assert.Equal((address, most, false), (place.Address, place.MostPayloadBytes, place.IsUsed));
        Assert.Equal((address, most, true), (place.Used.Address, place.Used.MostPayloadBytes, place.Used.IsUsed));
        Assert.Equal(place.Used, place.Used.Used);
    }

    [Fact]
    public void Places_OfManyHeads_AreFoundAndForgottenWhileTheTableGrows()
    {
        HeadPlaces places = new(expected: 10);
        for (int i = 0; i < 5_000; i++)
        {
            places.Set(KeyOf(i), PlaceOf(i));
            Assert.Equal(i + 1, places.Count);
        }

        places.Set(KeyOf(7), PlaceOf(8_000)); // again
        Assert.Equal(5_000, places.Count);
        for (int i = 0; i < 5_000; i++)
        {
            Assert.True(places.TryGet(KeyOf(i), out HeadPlace place));
            Assert.Equal(PlaceOf(i == 7 ? 8_000 : i), place);
            Assert.True(places.IsAt(KeyOf(i), place.Address));
            Assert.False(places.IsAt(KeyOf(i), place.Address + 64));
            if (i % 2 == 0)
            {
                Assert.True(places.Remove(KeyOf(i)));
                Assert.False(places.Remove(KeyOf(i)));
                Assert.False(places.TryGet(KeyOf(i), out _));
                Assert.False(places.IsAt(KeyOf(i), place.Address));
            }
        }

        Assert.Equal(2_500, places.Count);
        Assert.False(places.TryGet(KeyOf(9_999), out _));
        Assert.False(places.Remove(KeyOf(9_999)));
        places.Set(KeyOf(0), PlaceOf(1));
        Assert.Equal(2_501, places.Count);
    }

    /// <summary>Its table is doubled when it is three quarters full, and not before: 43 bytes a head, and as much while it grows.</summary>
    [Fact]
    public void Places_OfManyHeads_TakeFewBytesEach()
    {
        const int Heads = 12_000;
        ObjectKey[] keys = [.. Enumerable.Range(0, Heads).Select(KeyOf)];
        HeadPlaces places = new(expected: 0);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Heads; i++)
        {
            places.Set(keys[i], PlaceOf(i));
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 16 * Heads, 2 * 43 * Heads);
    }

    /// <summary>Names that come and go take no more room than those that are there.</summary>
    [Fact]
    public void Places_OfHeadsThatComeAndGo_AreFoundHoweverManyThereWere()
    {
        HeadPlaces places = new(expected: 0);
        for (int i = 0; i < 20_000; i++)
        {
            places.Set(KeyOf(i), PlaceOf(i));
            Assert.True(i < 100 || places.Remove(KeyOf(i - 100)));
        }

        Assert.Equal(100, places.Count);
        Assert.All(Enumerable.Range(19_900, 100), i => Assert.True(places.IsAt(KeyOf(i), PlaceOf(i).Address)));
    }

    [Fact]
    public void Place_ThatIsMarked_IsUsedUntilItIsAnother()
    {
        HeadPlaces places = new(expected: 10);
        places.Set(KeyOf(1), PlaceOf(1));
        places.MarkUsed(KeyOf(1), PlaceOf(2)); // it is not there
        Assert.True(places.TryGet(KeyOf(1), out HeadPlace place));
        Assert.False(place.IsUsed);
        places.MarkUsed(KeyOf(1), place);
        Assert.True(places.TryGet(KeyOf(1), out place));
        Assert.Equal(PlaceOf(1).Used, place);
        places.Set(KeyOf(1), PlaceOf(3));
        Assert.True(places.TryGet(KeyOf(1), out place));
        Assert.False(place.IsUsed);
    }

    /// <summary>Digests of zeros, and those that share a slot.</summary>
    [Fact]
    public void Places_OfKeysThatMeet_AreTheirOwn()
    {
        HeadPlaces places = new(expected: 10);
        ObjectKey[] keys = [.. new ulong[] { 0, 1UL << 32, (1UL << 32) + 2, (1UL << 32) + 3, (1023UL << 32) + 1, (1023UL << 32) + 2 }
            .Select(Key)];
        for (int i = 0; i < keys.Length; i++)
        {
            places.Set(keys[i], PlaceOf(i));
        }

        Assert.Equal(keys.Length, places.Count);
        Assert.All(Enumerable.Range(0, keys.Length), i => Assert.True(places.IsAt(keys[i], PlaceOf(i).Address)));
        Assert.True(places.Remove(keys[1]));
        Assert.True(places.IsAt(keys[2], PlaceOf(2).Address)); // it lies behind the one that is gone
        places.Set(keys[1], PlaceOf(9));
        Assert.True(places.IsAt(keys[1], PlaceOf(9).Address));
        Assert.Equal(keys.Length, places.Count);
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("http://host/é", 0)]
    [InlineData("http://host/é", 300)]
    public void Entry_OfAHead_IsReadBackByItsNameAlone(string name, int length)
    {
        byte[] head = TestObjects.Bytes(1, length);
        byte[] payload = HeadEntry.Encode(name, head);
        Assert.Equal(4 + Encoding.UTF8.GetByteCount(name) + length, payload.Length);
        Assert.Equal(payload.Length, HeadEntry.LengthOf(name, head));
        Assert.Equal(name, HeadEntry.NameIn(payload));
        Assert.True(HeadEntry.TryHeadIn(payload, name, out ReadOnlyMemory<byte> found));
        Assert.Equal(head, found.ToArray());
        Assert.False(HeadEntry.TryHeadIn(payload, name + "x", out found));
        Assert.True(found.IsEmpty);
        Assert.NotEqual(HeadEntry.KeyOf(name), HeadEntry.KeyOf(name + "x"));
    }

    [Theory]
    [InlineData(6, 2, "ab")]
    [InlineData(6, 0, "")]
    [InlineData(6, 3, null)]
    [InlineData(6, -1, null)]
    [InlineData(3, 0, null)]
    [InlineData(4, 0, "")]
    public void Entry_OfSoManyBytes_HasANameOrNone(int bytes, int nameBytes, string? expected)
    {
        byte[] payload = [0, 0, 0, 0, (byte)'a', (byte)'b'];
        BinaryPrimitives.WriteInt32LittleEndian(payload, nameBytes);
        Assert.Equal(expected, HeadEntry.NameIn(payload.AsSpan(0, bytes)));
        Assert.Equal(expected is not null, HeadEntry.TryHeadIn(payload.AsMemory(0, bytes), expected ?? "", out _));
    }

    [Theory]
    [InlineData(HeadLimits.LeastBytes, 18, 20, 19)]
    [InlineData(16L << 20, 19, 21, 20)]
    [InlineData(32L << 20, 20, 22, 21)]
    [InlineData((32L << 20) - 1, 19, 21, 20)]
    [InlineData(1L << 30, 20, 22, 26)]
    [InlineData(1L << 40, 20, 22, 26)]
    [InlineData(1L << 20, 18, 20, 19)]
    public void Geometry_OfAQuota_HasAboutSixteenSegments(long quota, int page, int memory, int segment) =>
        Assert.Equal(new LogGeometry(page, memory, segment), new HeadLimits(quota, 1, TimeSpan.Zero).Geometry);

    private static ObjectKey KeyOf(int i) => TestObjects.KeyOf(BitConverter.GetBytes(i));

    private static HeadPlace PlaceOf(int i) => new(128 + (64L * i), i % 700);

    private static ObjectKey Key(ulong first)
    {
        byte[] digest = new byte[20];
        BinaryPrimitives.WriteUInt64LittleEndian(digest, first);
        return new ObjectKey(digest, DigestAlgorithm.Named, ObjectKind.Plain);
    }
}
