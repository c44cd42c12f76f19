using System.Reflection;
using System.Runtime.Loader;
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

    /// <summary>The store's code a second time, as it is in an image whose switch is set.</summary>
    [Fact]
    public void Switch_OfTheBootImage_LeadsToManagedCodeWithTheSameDigests()
    {
        const string Switch = "Breakwater.ManagedDigests";
        Assembly own = typeof(Digests).Assembly;
        string[] digests = DigestsOf(own); // this process has made up its mind by now
        Assert.Equal("Sha1Hasher", HasherOf(own));
        AssemblyLoadContext image = new("boot image", isCollectible: true);
        AppContext.SetSwitch(Switch, true);
        try
        {
            Assembly other = image.LoadFromAssemblyPath(own.Location);
            Assert.Equal(digests, DigestsOf(other));
            Assert.Equal("ManagedSha1Hasher", HasherOf(other));
        }
        finally
        {
            AppContext.SetSwitch(Switch, false);
            image.Unload();
        }

        Assert.Equal(3, digests.Distinct().Count());
        Assert.Equal("900150983CD24FB0D6963F7D28E17F72", digests[1]); // RFC 1321, A.5
    }

    private static string[] DigestsOf(Assembly assembly) =>
        [DigestOf(assembly, "Sha1", 20), DigestOf(assembly, "Md5", 16), DigestOf(assembly, "Sha256", 32)];

    private static string DigestOf(Assembly assembly, string name, int bytes)
    {
        byte[] digest = new byte[bytes];
        assembly.GetType(typeof(Digests).FullName!)!
            .GetMethod(name, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!.CreateDelegate<Hash>()("abc"u8, digest);
        return Convert.ToHexString(digest);
    }

    private static string HasherOf(Assembly assembly)
    {
        MethodInfo create = assembly.GetType(typeof(ObjectHasher).FullName!)!.GetMethod(nameof(ObjectHasher.Create))!;
        object algorithm = Enum.ToObject(create.GetParameters()[0].ParameterType, (int)DigestAlgorithm.Sha1);
        using var hasher = (IDisposable)create.Invoke(null, [algorithm])!;
        return hasher.GetType().Name;
    }

    private delegate void Hash(ReadOnlySpan<byte> bytes, Span<byte> digest);
}
