using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Breakwater.TestSupport;

/// <summary>An authority for a test, and the certificates for 127.0.0.1 that it gives.</summary>
public sealed class TlsAuthority : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _authority;

    /// <summary>A new one.</summary>
    public TlsAuthority()
    {
        var request = new CertificateRequest("CN=test authority", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-30), DateTimeOffset.UtcNow.AddDays(30));
    }

    /// <summary>Its own certificate, PEM.</summary>
    public string Pem => _authority.ExportCertificatePem() + "\n";

    /// <summary>Issues a certificate; gives it and its key, both PEM.</summary>
    /// <param name="name">Common name.</param>
    /// <param name="days">Days until it ends; negative: it has ended.</param>
    /// <param name="isForLoopback">Is it for 127.0.0.1 as well, or for the name alone?</param>
    public (string Certificate, string Key) Issue(string name, int days = 20, bool isForLoopback = true)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (isForLoopback)
        {
            names.AddIpAddress(IPAddress.Loopback);
        }

        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.Create(_authority, DateTimeOffset.UtcNow.AddDays(-20),
            DateTimeOffset.UtcNow.AddDays(days), RandomNumberGenerator.GetBytes(8));
        return (certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    /// <summary>Did it issue this?</summary>
    public bool HasIssued(X509Certificate? certificate) =>
        certificate is not null && certificate.Issuer == _authority.Subject;

    /// <inheritdoc/>
    public void Dispose()
    {
        _authority.Dispose();
        _key.Dispose();
    }
}
