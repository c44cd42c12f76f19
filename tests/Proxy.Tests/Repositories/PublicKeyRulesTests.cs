using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Repositories;

/// <summary>
/// The keys that are taken beside those that the runtime imports: every good key is taken, nothing weaker is, and nothing is read as
/// another key than the runtime reads.
/// </summary>
public sealed class PublicKeyRulesTests
{
    private const string Rsa = "1.2.840.113549.1.1.1";
    private static readonly BigInteger s_modulus = Odd(2048, seed: 1);

    [Theory]
    [InlineData(1024, 65537)]
    [InlineData(1025, 3)]
    [InlineData(1031, 17)]
    [InlineData(2048, 65537)]
    [InlineData(3072, 4294967295)]
    [InlineData(4096, 3)]
    [InlineData(8192, 65537)]
    [InlineData(16384, 65537)]
    public void Key_OfAnySizeThatIsAllowed_IsTheRuntimesInBothKinds(int bits, uint exponent)
    {
        BigInteger modulus = Odd(bits, seed: bits);
        foreach ((string label, byte[] der) in (IEnumerable<(string, byte[])>)
            [("PUBLIC KEY", Info(modulus, exponent)), ("RSA PUBLIC KEY", Key(modulus, exponent))])
        {
            string pem = PemEncoding.WriteString(label, der);
            using var runtime = RSA.Create();
            runtime.ImportFromPem(pem);
            Same(runtime, PublicKeyInfo.TryReadPem(pem));
            Assert.True(RsaSignature.FromPem(pem).TryGet(out _, out string? problem), problem);
        }
    }

    [Fact]
    public void Key_ThatIsWeakerThanAllowed_IsRefused()
    {
        foreach ((BigInteger modulus, BigInteger exponent) in (IEnumerable<(BigInteger, BigInteger)>)
        [
            (Odd(1023, 2), 65537), (Odd(1017, 3), 65537), (Odd(512, 4), 65537), (Odd(16385, 5), 65537), (3, 3), (1, 3), (0, 3),
            (s_modulus - 1, 65537), (-s_modulus, 65537), (BigInteger.One << 2047, 3),
            (s_modulus, 0), (s_modulus, 1), (s_modulus, 2), (s_modulus, 65536), (s_modulus, -3), (s_modulus, (BigInteger.One << 32) + 1),
            (s_modulus, s_modulus - 2),
        ])
        {
            string[] pems =
            [
                PemEncoding.WriteString("PUBLIC KEY", Info(modulus, exponent)),
                PemEncoding.WriteString("RSA PUBLIC KEY", Key(modulus, exponent)),
            ];
            Assert.All(pems, pem => Assert.False(RsaSignature.FromPem(pem).TryGet(out _, out _), $"{modulus} {exponent}"));
        }
    }

    [Fact]
    public void Key_WithMoreOrLessThanItsEncoding_IsRefused()
    {
        byte[] key = Key(s_modulus, 65537);
        byte[] info = Info(s_modulus, 65537);
        Refused("PUBLIC KEY", [.. info, 0]);
        Refused("PUBLIC KEY", [.. info, .. info]);
        Refused("PUBLIC KEY", info[..^1]);
        Refused("PUBLIC KEY", []);
        Refused("RSA PUBLIC KEY", [.. key, 0]);
        Refused("RSA PUBLIC KEY", [.. key, .. key]);
        Refused("RSA PUBLIC KEY", Wrapped(writer => { writer.WriteInteger(s_modulus); writer.WriteInteger(3); writer.WriteInteger(5); }));
        Refused("RSA PUBLIC KEY", Wrapped(writer => writer.WriteInteger(s_modulus)));
        Refused("PUBLIC KEY", InfoOf([.. key, 0]));
        Refused("PUBLIC KEY", InfoOf([.. key, .. key]));
        Refused("PUBLIC KEY", InfoOf(key, unusedBits: 1));
        Refused("PUBLIC KEY", InfoOf(key, algorithm: "1.2.840.113549.1.1.10"));
        Refused("PUBLIC KEY", InfoOf(key, parameters: writer => writer.WriteInteger(1)));
        Refused("PUBLIC KEY", InfoOf(key, parameters: writer => { writer.WriteNull(); writer.WriteNull(); }));
        Refused("PUBLIC KEY", InfoOf(key, after: writer => writer.WriteNull()));
        Refused("PUBLIC KEY", key);
        Refused("RSA PUBLIC KEY", info);

        // BER: an endless sequence, a length of more bytes than it needs, a number with a zero in front.
        Refused("RSA PUBLIC KEY", [0x30, 0x80, .. key[4..], 0, 0]);
        Refused("RSA PUBLIC KEY", [0x30, 0x83, 0, .. key[2..]]);
        byte[] modulus = s_modulus.ToByteArray(isBigEndian: true);
        byte[] padded = [0x02, 0x82, 0x01, 0x02, 0, .. modulus, 0x02, 0x03, 1, 0, 1];
        Refused("RSA PUBLIC KEY", [0x30, 0x82, (byte)(padded.Length >> 8), (byte)padded.Length, .. padded]);

        Assert.NotNull(PublicKeyInfo.TryReadPem(PemEncoding.WriteString("PUBLIC KEY", InfoOf(key, parameters: _ => { }))));
    }

    [Fact]
    public void Key_OfChangedBytes_IsNeverTakenForAnotherThanTheRuntimesAndNeverMissed()
    {
        byte[][] starts =
            [Info(s_modulus, 65537), Key(s_modulus, 65537), Info(Odd(1024, 6), 3), Key(Odd(1031, 7), 17), Info(Odd(4096, 8), 65537)];
        var random = new Random(23);
        int taken = 0;
        using var runtime = RSA.Create();
        for (int i = 0; i < 4_000; i++)
        {
            bool isInfo = i % starts.Length is 0 or 2 or 4;
            byte[] der = Changed(starts[i % starts.Length], random, headOnly: i % 3 != 0);
            string pem = PemEncoding.WriteString(isInfo ? "PUBLIC KEY" : "RSA PUBLIC KEY", der);
            bool isTaken = RsaSignature.FromPem(pem).TryGet(out _, out _);
            bool isImported = TryImport(runtime, pem);
            if (isTaken)
            {
                taken++;
                Assert.True(isImported, Convert.ToHexString(der));
                Same(runtime, PublicKeyInfo.TryReadPem(pem));
            }
            else if (isImported && IsGood(runtime))
            {
                // What the runtime would write itself is refused by nobody.
                Assert.NotEqual(isInfo ? runtime.ExportSubjectPublicKeyInfo() : runtime.ExportRSAPublicKey(), der);
            }
        }

        Assert.True(taken > 400, $"{taken} were taken: the changes say nothing");
    }

    [Fact]
    public void Certificate_OfChangedBytes_IsNeverReadAsAnotherKeyThanTheRuntimes()
    {
        using var own = RSA.Create(2048);
        var request = new CertificateRequest("CN=a,O=b", own, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(99));
        byte[] good = certificate.RawData;
        var random = new Random(24);
        int both = 0;
        for (int i = 0; i < 5_000; i++)
        {
            byte[] der = Changed(good, random, headOnly: false);
            if (PublicKeyInfo.TryReadCertificate(der) is { } read && TryLoad(der) is { } loaded)
            {
                using RSA _ = loaded;
                both++;
                Same(loaded, read);
            }
        }

        Assert.True(both > 1000, $"{both} were read by both: the changes say nothing");
        Assert.NotNull(PublicKeyInfo.TryReadCertificate(good));
        Assert.Null(PublicKeyInfo.TryReadCertificate((byte[])[.. good, 0]));
        Assert.Null(PublicKeyInfo.TryReadCertificate(good.AsMemory(0, good.Length - 1)));
    }

    private static void Refused(string label, byte[] der) => Assert.Null(PublicKeyInfo.TryReadPem(PemEncoding.WriteString(label, der)));

    /// <summary>Some bytes are others, one more or one less; a head has the lengths and tags about which readers differ.</summary>
    private static byte[] Changed(byte[] from, Random random, bool headOnly)
    {
        List<byte> bytes = [.. from];
        for (int n = random.Next(1, 4); n > 0; n--)
        {
            int at = random.Next(headOnly ? Math.Min(40, bytes.Count) : bytes.Count);
            switch (random.Next(8))
            {
                case 0:
                    bytes.Insert(at, (byte)random.Next(256));
                    break;
                case 1:
                    bytes.RemoveAt(at);
                    break;
                default:
                    bytes[at] = (byte)(random.Next(2) == 0 ? bytes[at] ^ (1 << random.Next(8)) : random.Next(256));
                    break;
            }
        }

        return [.. bytes];
    }

    private static bool TryImport(RSA runtime, string pem)
    {
        try
        {
            runtime.ImportFromPem(pem);
            return true;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return false;
        }
    }

    private static RSA? TryLoad(byte[] der)
    {
        try
        {
            using X509Certificate2 loaded = X509CertificateLoader.LoadCertificate(der);
            return loaded.GetRSAPublicKey();
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static bool IsGood(RSA key)
    {
        RSAParameters parameters = key.ExportParameters(false);
        var modulus = new BigInteger(parameters.Modulus, isUnsigned: true, isBigEndian: true);
        var exponent = new BigInteger(parameters.Exponent, isUnsigned: true, isBigEndian: true);
        return !modulus.IsEven && modulus.GetBitLength() is >= 1024 and <= 16384
            && !exponent.IsEven && exponent > 1 && exponent <= uint.MaxValue;
    }

    private static void Same(RSA right, RSAParameters? read)
    {
        RSAParameters parameters = right.ExportParameters(false);
        Assert.NotNull(read);
        Assert.Equal(parameters.Modulus.AsSpan().TrimStart((byte)0).ToArray(), read.Value.Modulus);
        Assert.Equal(parameters.Exponent.AsSpan().TrimStart((byte)0).ToArray(), read.Value.Exponent);
    }

    /// <summary>An odd number of exactly so many bits.</summary>
    private static BigInteger Odd(int bits, int seed)
    {
        byte[] bytes = new byte[(bits + 7) / 8];
        new Random(seed).NextBytes(bytes);
        BigInteger top = BigInteger.One << (bits - 1);
        return (new BigInteger(bytes, isUnsigned: true) % top) | top | 1;
    }

    private static byte[] Key(BigInteger modulus, BigInteger exponent) =>
        Wrapped(writer => { writer.WriteInteger(modulus); writer.WriteInteger(exponent); });

    private static byte[] Info(BigInteger modulus, BigInteger exponent) => InfoOf(Key(modulus, exponent));

    private static byte[] InfoOf(byte[] key, string algorithm = Rsa, int unusedBits = 0, Action<AsnWriter>? parameters = null,
        Action<AsnWriter>? after = null) => Wrapped(writer =>
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(algorithm);
            (parameters ?? (w => w.WriteNull()))(writer);
        }

        byte[] bits = [.. key];
        bits[^1] &= (byte)(0xff << unusedBits);
        writer.WriteBitString(bits, unusedBits);
        after?.Invoke(writer);
    });

    private static byte[] Wrapped(Action<AsnWriter> write)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            write(writer);
        }

        return writer.Encode();
    }
}
