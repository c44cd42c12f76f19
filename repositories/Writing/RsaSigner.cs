using System.Numerics;
using System.Security.Cryptography;

namespace Breakwater.Repositories.Writing;

/// <summary>An RSA private key that makes the two kinds of PKCS#1 signatures of CernVM-FS. Immutable, thread-safe.</summary>
/// <remarks>
/// No library signs a block without a DigestInfo, as whitelists want it, and hardened systems refuse SHA-1; so the private operation is
/// done
/// here, blinded by a random factor so that its time says nothing of the key. <see cref="RsaSignature"/> is its counterpart.
/// </remarks>
public sealed class RsaSigner
{
    private readonly BigInteger _modulus;
    private readonly BigInteger _exponent;
    private readonly BigInteger _secret;
    private readonly int _modulusBytes;

    /// <summary>Takes a private key; the caller keeps it.</summary>
    public RsaSigner(RSA key)
    {
        RSAParameters parameters = key.ExportParameters(true);
        _modulus = Number(parameters.Modulus);
        _exponent = Number(parameters.Exponent);
        _secret = Number(parameters.D);
        _modulusBytes = _modulus.GetByteCount(isUnsigned: true);
    }

    /// <summary>Whitelist: a PKCS#1 type 1 block around the text itself.</summary>
    public byte[] SignRaw(ReadOnlySpan<byte> text) => Sign(text);

    /// <summary>Manifest: a PKCS#1 v1.5 signature with SHA-1 over the text.</summary>
    public byte[] SignSha1(ReadOnlySpan<byte> text)
    {
        Span<byte> payload = stackalloc byte[RsaSignature.Sha1DigestInfo.Length + SHA1.HashSizeInBytes];
        RsaSignature.Sha1DigestInfo.CopyTo(payload);
#pragma warning disable CA5350 // The protocol signs SHA-1 digests.
        SHA1.HashData(text, payload[RsaSignature.Sha1DigestInfo.Length..]);
#pragma warning restore CA5350
        return Sign(payload);
    }

    private byte[] Sign(ReadOnlySpan<byte> payload)
    {
        byte[] block = RsaSignature.Pad(payload, _modulusBytes);
        var message = new BigInteger(block, isUnsigned: true, isBigEndian: true);
        BigInteger blind = RandomBelow();
        BigInteger blinded = message * BigInteger.ModPow(blind, _exponent, _modulus) % _modulus;
        BigInteger signature = BigInteger.ModPow(blinded, _secret, _modulus) * Inverse(blind) % _modulus;
        byte[] bytes = signature.ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. new byte[_modulusBytes - bytes.Length], .. bytes];
    }

    private BigInteger RandomBelow()
    {
        while (true)
        {
            BigInteger candidate = new BigInteger(RandomNumberGenerator.GetBytes(_modulusBytes), isUnsigned: true) % _modulus;
            if (candidate > BigInteger.One && BigInteger.GreatestCommonDivisor(candidate, _modulus).IsOne)
            {
                return candidate;
            }
        }
    }

    /// <summary>The extended Euclidean algorithm.</summary>
    private BigInteger Inverse(BigInteger value)
    {
        (BigInteger before, BigInteger at) = (_modulus, value);
        (BigInteger factorBefore, BigInteger factor) = (BigInteger.Zero, BigInteger.One);
        while (!at.IsZero)
        {
            BigInteger quotient = before / at;
            (before, at) = (at, before - (quotient * at));
            (factorBefore, factor) = (factor, factorBefore - (quotient * factor));
        }

        return factorBefore.Sign < 0 ? factorBefore + _modulus : factorBefore;
    }

    private static BigInteger Number(byte[]? bytes) => new(bytes, isUnsigned: true, isBigEndian: true);
}
