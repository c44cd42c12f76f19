using System.Numerics;
using System.Security.Cryptography;
using Breakwater.CacheStore.Hashing;

namespace Breakwater.Repositories;

/// <summary>An RSA public key that verifies the two kinds of PKCS#1 signatures of CernVM-FS. Immutable, thread-safe.</summary>
/// <remarks>
/// The whitelist's signature wraps the hash line itself, without the DigestInfo that every library's verify demands; and libraries refuse
/// SHA-1 on hardened systems. So the public operation is done here and the whole padded block is compared with the one expected
/// (RFC 8017, 8.2.2: compare encodings, do not parse them): nothing is lenient. All of this is public data; no secret can leak by timing.
/// </remarks>
public sealed class RsaSignature
{
    private const int MinModulusBits = 1024, MaxModulusBits = 16384, MaxExponentBits = 32;

    /// <summary>DER of the DigestInfo for SHA-1 (RFC 8017, 9.2, note 1); the 20 bytes of the digest follow.</summary>
    internal static readonly byte[] Sha1DigestInfo = Convert.FromHexString("3021300906052b0e03021a05000414");

    private readonly BigInteger _modulus;
    private readonly BigInteger _exponent;
    private readonly int _modulusBytes;

    private RsaSignature(BigInteger modulus, BigInteger exponent)
    {
        _modulus = modulus;
        _exponent = exponent;
        _modulusBytes = _modulus.GetByteCount(isUnsigned: true);
    }

    /// <summary>Takes a public key.</summary>
    public static Parsed<RsaSignature> FromKey(RSA key) => FromKey(key.ExportParameters(false));

    /// <summary>
    /// Takes a public key that RFC 8017, 3.1, allows: a modulus that is odd and of 1,024 to 16,384 bit (OpenSSL's limit), an exponent that
    /// is odd, more than 1 (which would make every block its own signature) and of at most 32 bit.
    /// </summary>
    internal static Parsed<RsaSignature> FromKey(RSAParameters parameters)
    {
        var modulus = new BigInteger(parameters.Modulus, isUnsigned: true, isBigEndian: true);
        var exponent = new BigInteger(parameters.Exponent, isUnsigned: true, isBigEndian: true);
        if (modulus.GetBitLength() is < MinModulusBits or > MaxModulusBits || modulus.IsEven)
        {
            return new Malformed("The RSA key's modulus is not an odd number of 1,024 to 16,384 bit.");
        }

        if (exponent <= 1 || exponent.IsEven || exponent.GetBitLength() > MaxExponentBits)
        {
            return new Malformed("The RSA key's exponent is not an odd number from 3 to 4,294,967,295.");
        }

        return new RsaSignature(modulus, exponent);
    }

    /// <summary>Reads a public key in PEM.</summary>
    public static Parsed<RsaSignature> FromPem(string pem)
    {
        return PublicKeyInfo.TryReadPem(pem) is { } parameters
            ? FromKey(parameters)
            : new Malformed("It is not an RSA public key in PEM (-----BEGIN PUBLIC KEY-----).");
    }

    /// <summary>Whitelist: is it a PKCS#1 type 1 block around the text itself?</summary>
    public bool SignsRaw(ReadOnlySpan<byte> text, ReadOnlySpan<byte> signature) => Matches(text, signature);

    /// <summary>Manifest: is it a PKCS#1 v1.5 signature with SHA-1 over the text?</summary>
    public bool SignsSha1(ReadOnlySpan<byte> text, ReadOnlySpan<byte> signature)
    {
        Span<byte> payload = stackalloc byte[Sha1DigestInfo.Length + 20];
        Sha1DigestInfo.CopyTo(payload);
        Digests.Sha1(text, payload[Sha1DigestInfo.Length..]);
        return Matches(payload, signature);
    }

    /// <summary>The block of type 1 around a payload (RFC 8017, 9.2).</summary>
    internal static byte[] Pad(ReadOnlySpan<byte> payload, int length)
    {
        byte[] block = new byte[length];
        block.AsSpan().Fill(0xff);
        block[0] = 0;
        block[1] = 1;
        block[^(payload.Length + 1)] = 0;
        payload.CopyTo(block.AsSpan(length - payload.Length));
        return block;
    }

    private bool Matches(ReadOnlySpan<byte> payload, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != _modulusBytes || payload.Length > _modulusBytes - 11)
        {
            return false;
        }

        var number = new BigInteger(signature, isUnsigned: true, isBigEndian: true);
        return number < _modulus
            && BigInteger.ModPow(number, _exponent, _modulus)
                == new BigInteger(Pad(payload, _modulusBytes), isUnsigned: true, isBigEndian: true);
    }
}
