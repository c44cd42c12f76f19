using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;

namespace Breakwater.Repositories;

/// <summary>
/// Takes an RSA public key out of its usual wrappings (RFC 5280, 4.1; RFC 8017, A.1.1). Managed code alone: the boot image has no
/// OpenSSL, and trust has one reader everywhere. DER to the last byte: what is ambiguous, is followed by something, or could be read
/// as another key by another reader is no key. Which keys are good enough is the rule of <see cref="RsaSignature"/>.
/// </summary>
internal static class PublicKeyInfo
{
    private const string RsaEncryption = "1.2.840.113549.1.1.1";
    private static readonly Asn1Tag s_version = new(TagClass.ContextSpecific, 0);

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
                if (found is not null || (found = Try(() => isInfo ? ReadWhole(der) : ReadKey(Reader(der)))) is null)
                {
                    return null;
                }
            }

            rest = rest[fields.Location.End..];
        }

        return found;
    }

    /// <summary>
    /// The key of a certificate (RFC 5280, 4.1). Null: it is none, or its key is no RSA key. Names, dates and extensions are not looked at.
    /// </summary>
    public static RSAParameters? TryReadCertificate(ReadOnlyMemory<byte> der) => Try(() =>
    {
        AsnReader outside = Reader(der);
        AsnReader certificate = outside.ReadSequence();
        outside.ThrowIfNotEmpty();
        AsnReader inside = certificate.ReadSequence();
        certificate.ReadSequence(); // algorithm of the signature
        certificate.ReadBitString(out _);
        certificate.ThrowIfNotEmpty();

        if (inside.PeekTag().HasSameClassAndValue(s_version))
        {
            AsnReader version = inside.ReadSequence(s_version);
            version.ReadIntegerBytes();
            version.ThrowIfNotEmpty();
        }

        inside.ReadIntegerBytes(); // serial number
        for (int i = 0; i < 4; i++)
        {
            inside.ReadSequence(); // algorithm of the signature, issuer, validity, subject
        }

        RSAParameters? key = ReadInfo(inside);
        for (int last = 0; inside.HasData; inside.ReadEncodedValue())
        {
            Asn1Tag tag = inside.PeekTag(); // unique identifiers and extensions: each once, in this order
            if (tag.TagClass != TagClass.ContextSpecific || tag.TagValue <= last || tag.TagValue > 3)
            {
                return null;
            }

            last = tag.TagValue;
        }

        return key;
    });

    private static RSAParameters? ReadWhole(ReadOnlyMemory<byte> info)
    {
        AsnReader reader = Reader(info);
        RSAParameters? key = ReadInfo(reader);
        reader.ThrowIfNotEmpty();
        return key;
    }

    private static RSAParameters? ReadInfo(AsnReader reader)
    {
        AsnReader info = reader.ReadSequence();
        AsnReader algorithm = info.ReadSequence();
        if (algorithm.ReadObjectIdentifier() != RsaEncryption)
        {
            return null;
        }

        if (algorithm.HasData)
        {
            algorithm.ReadNull(); // RFC 3279, 2.3.1; some writers leave it out
        }

        algorithm.ThrowIfNotEmpty();
        byte[] key = info.ReadBitString(out int unused);
        info.ThrowIfNotEmpty();
        return unused == 0 ? ReadKey(Reader(key)) : null;
    }

    private static RSAParameters? ReadKey(AsnReader reader)
    {
        AsnReader key = reader.ReadSequence();
        reader.ThrowIfNotEmpty();
        BigInteger modulus = key.ReadInteger();
        BigInteger exponent = key.ReadInteger();
        key.ThrowIfNotEmpty();
        return modulus.Sign <= 0 || exponent.Sign <= 0 ? null : new RSAParameters
        {
            Modulus = modulus.ToByteArray(isUnsigned: true, isBigEndian: true),
            Exponent = exponent.ToByteArray(isUnsigned: true, isBigEndian: true),
        };
    }

    private static AsnReader Reader(ReadOnlyMemory<byte> der) => new(der, AsnEncodingRules.DER);

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
