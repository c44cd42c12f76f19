using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Breakwater.Repositories.Writing;

/// <summary>
/// Makes the certificate that names the key of a repository's manifests. Clients look at its fingerprint only, never at its dates.
/// </summary>
public static class CertificateDraft
{
    private const int MaxCommonNameLength = 64; // RFC 5280, A.1

    /// <summary>A self-signed certificate in PEM.</summary>
    /// <param name="fqrn">The repository.</param>
    /// <param name="key">The signing key.</param>
    /// <param name="now">When it begins.</param>
    public static string Create(Fqrn fqrn, RSA key, DateTimeOffset now)
    {
        string name = fqrn.ToString();
        name = name.Length > MaxCommonNameLength ? name[..MaxCommonNameLength] : name;
        var request = new CertificateRequest(
            new X500DistinguishedName($"CN={name}"), key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using X509Certificate2 certificate = request.CreateSelfSigned(now, now.AddYears(30));
        return certificate.ExportCertificatePem() + "\n";
    }
}
