using System.Formats.Asn1;
using System.Security.Cryptography;

namespace Breakwater.Repositories;

/// <summary>
/// Takes an RSA public key out of its usual wrappings (RFC 5280, 4.1; RFC 8017, A.1.1). Managed code alone: the boot image has no
/// OpenSSL, and trust has one reader everywhere.
/// </summary>
internal static class PublicKeyInfo
{
    private const string RsaEncryption = "1.2.840.113549.1.1.1";

    /// <summary>The one key of a text in PEM (<c>PUBLIC KEY</c> or <c>RSA PUBLIC KEY</c>). Null: there is none, or more than one.</summary>
    public static RSAParameters? TryReadPem(string pem)
    {
        RSAParameters? found = null;
        ReadOnlySpan<char> rest = pem;
        while (PemEncoding.TryFind(rest, out PemFields fields))
        {
            bool isInfo = rest[fields.Label] is "PUBLIC KEY";
            if (isInfo || rest[fields.Label] is "RSA PUBLIC KEY")
            {
                byte[] der = Convert.FromBase64String(rest[fields.Base64Data].ToString());
                if (found is not null || (found = Try(() => isInfo ? ReadInfo(Reader(der)) : ReadKey(der))) is null)
                {
                    return null;
                }
            }

            rest = rest[fields.Location.End..];
        }

        return found;
    }

    /// <summary>The key of a certificate. Null: it is none, or its key is no RSA key.</summary>
    public static RSAParameters? TryReadCertificate(ReadOnlyMemory<byte> der) => Try(() =>
    {
        AsnReader outside = Reader(der);
        AsnReader certificate = outside.ReadSequence();
        outside.ThrowIfNotEmpty();
        AsnReader inside = certificate.ReadSequence();
        if (inside.PeekTag() is { TagClass: TagClass.ContextSpecific, TagValue: 0 })
        {
            inside.ReadEncodedValue(); // version
        }

        inside.ReadInteger();
        for (int i = 0; i < 4; i++)
        {
            inside.ReadSequence(); // algorithm of the signature, issuer, validity, subject
        }

        return ReadInfo(inside);
    });

    private static RSAParameters? ReadInfo(AsnReader reader)
    {
        AsnReader info = reader.ReadSequence();
        AsnReader algorithm = info.ReadSequence();
        if (algorithm.ReadObjectIdentifier() != RsaEncryption)
        {
            return null;
        }

        byte[] key = info.ReadBitString(out int unused);
        return unused == 0 ? ReadKey(key) : null;
    }

    private static RSAParameters? ReadKey(ReadOnlyMemory<byte> der)
    {
        AsnReader key = Reader(der).ReadSequence();
        System.Numerics.BigInteger modulus = key.ReadInteger();
        System.Numerics.BigInteger exponent = key.ReadInteger();
        return modulus.Sign <= 0 || exponent.Sign <= 0 ? null : new RSAParameters
        {
            Modulus = modulus.ToByteArray(isUnsigned: true, isBigEndian: true),
            Exponent = exponent.ToByteArray(isUnsigned: true, isBigEndian: true),
        };
    }

    private static AsnReader Reader(ReadOnlyMemory<byte> der) => new(der, AsnEncodingRules.BER);

    private static RSAParameters? Try(Func<RSAParameters?> read)
    {
        try
        {
            return read();
        }
        catch (AsnContentException)
        {
            return null;
        }
    }
}
