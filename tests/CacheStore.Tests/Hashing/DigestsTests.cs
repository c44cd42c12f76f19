using System.Security.Cryptography;
using Breakwater.CacheStore.Hashing;
using Org.BouncyCastle.Crypto.Digests;

namespace Breakwater.CacheStore.Tests.Hashing;

/// <summary>What the boot image uses in place of OpenSSL.</summary>
public sealed class DigestsTests
{
    [Fact]
    public void Managed_OfEveryLengthAroundABlock_IsWhatOpenSslHas()
    {
        byte[] bytes = new byte[4096];
        new Random(7).NextBytes(bytes);
        foreach (int length in Enumerable.Range(0, 300).Append(4096))
        {
            ReadOnlySpan<byte> text = bytes.AsSpan(0, length);
            byte[] digest = new byte[32];
#pragma warning disable CA5350, CA5351 // The formats name them.
            Digests.Managed(new Sha1Digest(), text, digest);
            Assert.Equal(SHA1.HashData(text), digest[..20]);
            Digests.Managed(new MD5Digest(), text, digest);
            Assert.Equal(MD5.HashData(text), digest[..16]);
            Digests.Managed(new Sha256Digest(), text, digest);
            Assert.Equal(SHA256.HashData(text), digest);

            using var hasher = new ObjectHasher.ManagedSha1Hasher();
            hasher.Append(text[..(length / 3)]);
            Assert.Equal(length == 0, hasher.Matches(new ObjectKey(SHA1.HashData(text), DigestAlgorithm.Sha1, ObjectKind.Catalog)));
            hasher.Append(text[(length / 3)..]);
            hasher.Finish(digest);
            Assert.Equal(SHA1.HashData(text), digest[..20]);
#pragma warning restore CA5350, CA5351
        }
    }
}
