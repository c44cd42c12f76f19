using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Cluster;

/// <summary>A site's authority for a test, and the certificates that it gives to nodes.</summary>
internal sealed class SiteAuthority : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _authority;

    public SiteAuthority()
    {
        var request = new CertificateRequest("CN=test site", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(100));
        TrustedFile = _directory.Combine("site-ca.pem");
        File.WriteAllText(TrustedFile, _authority.ExportCertificatePem());
    }

    /// <summary>The PEM file with the authority.</summary>
    public string TrustedFile { get; }

    /// <summary>Makes a node's certificate; gives the PEM file with it and its key.</summary>
    public string Issue(string name)
    {
        using X509Certificate2 certificate = Make(name, out ECDsa key);
        using (key)
        {
            string path = _directory.Combine($"{name}-{Guid.NewGuid():N}.pem");
            File.WriteAllText(path, certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n");
            return path;
        }
    }

    /// <summary>Makes a node's certificate with its key.</summary>
    public X509Certificate2 IssueInMemory(string name)
    {
        using X509Certificate2 certificate = Make(name, out ECDsa key);
        using (key)
        {
            using X509Certificate2 ephemeral = certificate.CopyWithPrivateKey(key);
            return X509CertificateLoader.LoadPkcs12(ephemeral.Export(X509ContentType.Pkcs12), null);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _authority.Dispose();
        _key.Dispose();
        _directory.Dispose();
    }

    private X509Certificate2 Make(string name, out ECDsa key)
    {
        key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        return request.Create(_authority, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(99),
            RandomNumberGenerator.GetBytes(8));
    }
}
