namespace Breakwater.CacheStore.Tests;

public sealed class ObjectKeyTests
{
    /// <summary>
    /// A client chooses what it asks for: digests that agree in most of their bytes must not meet in the tables of those under way.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(16)]
    public void HashCode_OfDigestsThatDifferInAFewBytes_IsSpread(int at)
    {
        HashSet<int> codes = [];
        byte[] digest = new byte[ObjectKey.DigestSizeBytes];
        for (int i = 0; i < 10_000; i++)
        {
            BitConverter.TryWriteBytes(digest.AsSpan(at), i);
            codes.Add(new ObjectKey(digest, DigestAlgorithm.Sha1, 0).GetHashCode());
        }

        Assert.InRange(codes.Count, 9_900, 10_000);
    }
}
