using Breakwater.Proxy.Documents;

namespace Breakwater.Proxy.Tests.Documents;

public sealed class ArchiveRoomTests
{
    private const long MaxBytes = 1 << 20;

    private readonly ArchiveRoom _room = new(MaxBytes);

    [Fact]
    public void Take_MadeUpNamesWithoutEnd_StaysWithinTheBytes()
    {
        HashSet<string> kept = new(StringComparer.Ordinal);
        for (int i = 0; i < 10_000; i++)
        {
            kept.Add(Name(i));
            kept.ExceptWith(_room.Take(Name(i), 300, isVerified: false));
            Assert.True(_room.Held.Bytes <= MaxBytes);
        }

        Assert.Equal(_room.Held.Count, kept.Count);
        Assert.Contains(Name(9_999), kept);
        Assert.DoesNotContain(Name(0), kept);
    }

    [Fact]
    public void Take_UnverifiedOnes_NeverPushOutAVerifiedOne()
    {
        Assert.Empty(_room.Take("verified", 1000, isVerified: true));
        for (int i = 0; i < 10_000; i++)
        {
            Assert.DoesNotContain("verified", _room.Take(Name(i), 300, isVerified: false));
        }
    }

    [Fact]
    public void Take_TheSameAgain_IsChargedOnce()
    {
        _room.Take("a", 1000, isVerified: false);
        (int Count, long Bytes) once = _room.Held;
        _room.Take("a", 1000, isVerified: true);

        Assert.Equal(once, _room.Held);
    }

    [Fact]
    public void IsFor_ADocumentThatWouldPushOutAllOthers_IsFalse()
    {
        Assert.True(_room.IsFor("a", 100_000));
        Assert.False(_room.IsFor("a", 200_000));
    }

    private static string Name(int i) => $"cluster/made-up-{i}.example.org/.cvmfspublished";
}
