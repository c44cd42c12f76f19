using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Digests;

namespace Breakwater.CacheStore.Hashing;

/// <summary>The fixed digests of the formats, each in one call. Thread-safe.</summary>
public static class Digests
{
    /// <summary>
    /// Is managed code used in place of OpenSSL? The boot image sets the switch when it is compiled: OpenSSL alone would be half as large
    /// as everything else in the image. Elsewhere OpenSSL is several times as fast.
    /// </summary>
    [FeatureSwitchDefinition("Breakwater.ManagedDigests")]
    internal static bool AreManaged { get; } = AppContext.TryGetSwitch("Breakwater.ManagedDigests", out bool isOn) && isOn;

#pragma warning disable CA5350, CA5351 // The formats name SHA-1 for signatures and MD5 for paths.
    /// <summary>Writes the 20 bytes of a SHA-1.</summary>
    public static void Sha1(ReadOnlySpan<byte> bytes, Span<byte> digest)
    {
        if (AreManaged)
        {
            Managed(new Sha1Digest(), bytes, digest);
        }
        else
        {
            SHA1.HashData(bytes, digest);
        }
    }

    /// <summary>Writes the 16 bytes of an MD5.</summary>
    public static void Md5(ReadOnlySpan<byte> bytes, Span<byte> digest)
    {
        if (AreManaged)
        {
            Managed(new MD5Digest(), bytes, digest);
        }
        else
        {
            MD5.HashData(bytes, digest);
        }
    }
#pragma warning restore CA5350, CA5351

    /// <summary>Writes the 32 bytes of a SHA-256.</summary>
    internal static void Sha256(ReadOnlySpan<byte> bytes, Span<byte> digest)
    {
        if (AreManaged)
        {
            Managed(new Sha256Digest(), bytes, digest);
        }
        else
        {
            SHA256.HashData(bytes, digest);
        }
    }

    /// <summary>Hashes with managed code, whatever the switch says.</summary>
    internal static void Managed(IDigest hash, ReadOnlySpan<byte> bytes, Span<byte> digest)
    {
        hash.BlockUpdate(bytes);
        hash.DoFinal(digest);
    }
}
