using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Repositories;

/// <summary>Keys are read without OpenSSL; the runtime's own writers say what is right.</summary>
public sealed class PublicKeyInfoTests
{
    private static readonly RSA s_key = RSA.Create(2048);

    [Fact]
    public void TryReadPem_OfBothKinds_HasTheKey()
    {
        Same(PublicKeyInfo.TryReadPem(s_key.ExportSubjectPublicKeyInfoPem()));
        Same(PublicKeyInfo.TryReadPem("a comment\n" + s_key.ExportRSAPublicKeyPem()));
    }

    [Fact]
    public void TryReadPem_OfNoneOrTwoOrAnotherKind_IsNull()
    {
        using ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string pem = s_key.ExportSubjectPublicKeyInfoPem();
        Assert.Null(PublicKeyInfo.TryReadPem(""));
        Assert.Null(PublicKeyInfo.TryReadPem(pem + "\n" + pem));
        Assert.Null(PublicKeyInfo.TryReadPem(other.ExportSubjectPublicKeyInfoPem()));
        Assert.Null(PublicKeyInfo.TryReadPem(s_key.ExportRSAPrivateKeyPem()));
    }

    [Fact]
    public void TryReadCertificate_OfRsaAndOfAnotherKind_HasTheKeyOrNull()
    {
        var request = new CertificateRequest("CN=a,O=b", s_key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(99));
        Same(PublicKeyInfo.TryReadCertificate(certificate.RawData));

        using ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 second = new CertificateRequest("CN=a", other, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(99));
        Assert.Null(PublicKeyInfo.TryReadCertificate(second.RawData));
    }

    [Fact]
    public void TryReadCertificate_OfDamagedBytes_NeverThrows()
    {
        var request = new CertificateRequest("CN=a", s_key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(99));
        var random = new Random(11);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = [.. certificate.RawData];
            for (int j = 0; j <= i % 4; j++)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            PublicKeyInfo.TryReadCertificate(bytes.AsMemory(0, i % 3 == 0 ? random.Next(bytes.Length) : bytes.Length));
        }
    }

    private static void Same(RSAParameters? read)
    {
        RSAParameters right = s_key.ExportParameters(false);
        Assert.NotNull(read);
        Assert.Equal(right.Modulus, read.Value.Modulus);
        Assert.Equal(right.Exponent, read.Value.Exponent);
    }
}
