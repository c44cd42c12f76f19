using Breakwater.CacheStore.Hashing;

namespace Breakwater.CacheStore.Tests.Hashing;

public sealed class ObjectHasherTests
{
    /// <summary>
    /// A body may be right before its answer has ended, or go on from another Stratum 1: the look in between changes nothing.
    /// </summary>
    [Theory]
    [InlineData(DigestAlgorithm.Sha1)]
    [InlineData(DigestAlgorithm.RipeMd160)]
    [InlineData(DigestAlgorithm.Shake128)]
    public void Matches_InBetween_TellsTheTruthAndMoreMayFollow(DigestAlgorithm algorithm)
    {
        byte[] bytes = new byte[1000];
        new Random(7).NextBytes(bytes);
        ObjectKey whole = Key(bytes);
        ObjectKey half = Key(bytes.AsSpan(0, 500));
        using var hasher = ObjectHasher.Create(algorithm);
        Assert.False(hasher.Matches(half));
        hasher.Append(bytes.AsSpan(0, 500));
        Assert.True(hasher.Matches(half));
        Assert.False(hasher.Matches(whole));
        hasher.Append(bytes.AsSpan(500));
        Assert.True(hasher.Matches(whole));
        Assert.True(hasher.FinishMatches(whole));

        ObjectKey Key(ReadOnlySpan<byte> of) => new(ObjectHasher.Hash(algorithm, of), algorithm, 0);
    }
}
