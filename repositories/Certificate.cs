using System.Security.Cryptography;
using System.Text;

namespace Breakwater.Repositories;

/// <summary>The certificate object (<c>X</c>) whose key signs a manifest: a compressed X.509 certificate in PEM.</summary>
public sealed class Certificate
{
    private const int MaxPemBytes = 64 * 1024;

    private Certificate(byte[] der) => Der = der;

    /// <summary>The certificate's DER form, of which the whitelist lists the fingerprint. Not parsed yet.</summary>
    public ReadOnlyMemory<byte> Der { get; }

    /// <summary>Reads the object's bytes as they are on the wire: inflates them and takes the PEM armour off.</summary>
    public static Parsed<Certificate> Parse(ReadOnlyMemory<byte> wireBytes)
    {
        if (WireContent.TryRead(wireBytes.ToArray(), MaxPemBytes) is not { Length: > 0 } content)
        {
            return new Malformed("Certificate: it is not a zlib or zstd stream of at most 64 KiB.");
        }

        string pem = Encoding.Latin1.GetString(content);
        if (!PemEncoding.TryFind(pem, out PemFields fields) || pem[fields.Label] != "CERTIFICATE")
        {
            return new Malformed("Certificate: it is not a certificate in PEM.");
        }

        byte[] der = new byte[fields.DecodedDataLength];
        return Convert.TryFromBase64Chars(pem.AsSpan()[fields.Base64Data], der, out int written) && written == der.Length
            ? new Certificate(der)
            : new Malformed("Certificate: its base64 is broken.");
    }

    /// <summary>Parses the DER form and takes the RSA key out of it. To be called once the fingerprint is known to be listed.</summary>
    public Parsed<RsaSignature> ReadKey()
    {
        return PublicKeyInfo.TryReadCertificate(Der) is { } parameters
            ? RsaSignature.FromKey(parameters)
            : new Malformed("Certificate: it is not an X.509 certificate of an RSA key.");
    }
}
