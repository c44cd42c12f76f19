using System.Net.Security;
using System.Security.Cryptography;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.Configuration;

namespace Breakwater.Proxy.Tests.Settings;

/// <summary>What is wrong with a certificate's files is told by setting and file, and nothing of a key is.</summary>
public sealed class TlsFilesTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly TlsAuthority _authority = new();
    private readonly List<string> _errors = [];

    [Fact]
    public void Certificate_WithItsKey_IsReadFromOneFileOrTwo()
    {
        (string certificate, string key) = _authority.Issue("proxy");

        Assert.Equal("CN=proxy", Read(certificate, key)!.TargetCertificate.Subject);
        Assert.Equal("CN=proxy", Read(certificate + _authority.Pem + key, null)!.TargetCertificate.Subject);
        Assert.Equal("CN=proxy", Read(key + certificate, null)!.TargetCertificate.Subject);
        Assert.True(Read(certificate, key)!.TargetCertificate.HasPrivateKey);
        Assert.Empty(_errors);
    }

    [Theory]
    [InlineData(0, 0, true)]
    [InlineData(-1, 0, false)]
    [InlineData(0, 1, true)]
    [InlineData(1, 1, false)]
    public void Certificate_IsInForce_FromItsFirstSecondToItsLast(int seconds, int end, bool isRight)
    {
        (string certificate, string key) = _authority.Issue("proxy");
        using var own = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(certificate);
        DateTime now = (end == 0 ? own.NotBefore : own.NotAfter).ToUniversalTime().AddSeconds(seconds);

        Assert.Equal(isRight, Read(certificate, key, now) is not null);
        Assert.Equal(isRight, _errors.Count == 0);
    }

    [Fact]
    public void File_OfFourMebibytes_IsReadStill() =>
        Assert.NotNull(Read(_authority.Issue("proxy") is var (certificate, key) ? (certificate + key).PadRight(4 << 20) : null, null));

    [Fact]
    public void Mistake_OfOneFileForBoth_SaysWhereTheKeyMayStand()
    {
        (string certificate, string key) = _authority.Issue("proxy");

        Assert.Null(Read(certificate, null));
        Assert.EndsWith("(-----BEGIN PRIVATE KEY-----); name the key's file in Proxy:TlsKey.", _errors[0], StringComparison.Ordinal);
        Assert.Null(Read(certificate, certificate));
        Assert.EndsWith("(-----BEGIN PRIVATE KEY-----).", _errors[1], StringComparison.Ordinal);
        Assert.Null(TlsFiles.Read(("Proxy:TlsCertificate", _directory.Path), ("Proxy:TlsKey", key), DateTime.UtcNow, _errors));
        Assert.EndsWith(" is a folder.", _errors[2], StringComparison.Ordinal);
        Assert.Null(TlsFiles.ReadAuthorities("Http:CaFile", _directory.Combine("none"), _errors));
        Assert.Equal(4, _errors.Count);
    }

    [Fact]
    public void Mistake_IsToldWithSettingAndFile()
    {
        (string certificate, string key) = _authority.Issue("proxy");
        (string old, string oldKey) = _authority.Issue("old", days: -1);
        using var rsa = RSA.Create(2048);
        string locked = rsa.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc,
            HashAlgorithmName.SHA256, 1000));

        foreach ((string? first, string? second, string expected) in ((string?, string?, string)[])
        [
            (null, key, "Proxy:TlsCertificate: there is no file '*certificate.pem'."),
            (certificate, "missing", "Proxy:TlsKey: there is no file '*missing'."),
            ("", key, "Proxy:TlsCertificate: '*certificate.pem' has no certificate in PEM form"),
            (key, key, "Proxy:TlsCertificate: '*certificate.pem' has no certificate in PEM form"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", key, "Proxy:TlsCertificate: '*certificate.pem' has a cert"),
            (certificate, null, "Proxy:TlsCertificate: '*certificate.pem' has no private key in PEM form"),
            (certificate, certificate, "Proxy:TlsKey: '*key.pem' has no private key in PEM form"),
            (certificate, oldKey, "Proxy:TlsKey: '*key.pem' is not the key of the certificate in '*certificate.pem'."),
            (certificate, rsa.ExportPkcs8PrivateKeyPem(), "Proxy:TlsKey: '*key.pem' is not the key of the certificate"),
            (certificate, locked, "Proxy:TlsKey: '*key.pem' is locked with a password"),
            (old, oldKey, "Proxy:TlsCertificate: '*certificate.pem' is valid from "),
            (new string('x', (4 << 20) + 1), key, "Proxy:TlsCertificate: '*certificate.pem' is longer than 4 MiB."),
        ])
        {
            _errors.Clear();

            Assert.Null(Read(first, second));
            Assert.StartsWith(expected, Assert.Single(_errors).Replace(_directory.Path + "/", "*", StringComparison.Ordinal),
                StringComparison.Ordinal);
            Assert.DoesNotContain("PRIVATE KEY-----\nM", _errors[0], StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("Proxy:TlsListen:0", "127.0.0.1:3443", "Proxy:TlsCertificate: with Proxy:TlsListen a PEM file")]
    [InlineData("Proxy:TlsCertificate", "no-such.pem", "Proxy:TlsListen: with Proxy:TlsCertificate addresses")]
    [InlineData("Proxy:TlsKey", "no-such.pem", "Proxy:TlsCertificate: the certificate of Proxy:TlsKey belongs here")]
    [InlineData("Admin:TlsCertificate", "no-such.pem", "Admin:TlsCertificate: there is no file 'no-such.pem'")]
    [InlineData("Http:CaFile", "no-such.pem", "Http:CaFile: there is no file 'no-such.pem'")]
    [InlineData("Http:ClientKey", "no-such.pem", "Http:ClientCertificate: the certificate of ClientKey belongs here")]
    [InlineData("ReverseProxy:Clusters:test:HttpClient:CaFile", "no-such.pem", "ReverseProxy:Clusters:test:HttpClient:CaFile: there is no")]
    public void Settings_NameFilesThatAreNotRight_AreRefused(string setting, string value, string expected)
    {
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Repositories:*.example.org:Cluster"] = "test",
            ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = "http://s1.example.org/",
            [setting] = value,
        }).Build();

        SettingsException refused = Assert.Throws<SettingsException>(() => BreakwaterSettings.Load(configuration));

        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _authority.Dispose();
        _directory.Dispose();
    }

    private SslStreamCertificateContext? Read(string? certificate, string? key, DateTime? now = null)
    {
        string first = _directory.Combine("certificate.pem");
        string second = _directory.Combine("key.pem");
        File.Delete(first);
        File.WriteAllText(second, key);
        if (certificate is not null)
        {
            File.WriteAllText(first, certificate);
        }

        string? keyPath = key switch { null => null, "missing" => _directory.Combine("missing"), _ => second };
        return TlsFiles.Read(("Proxy:TlsCertificate", first), ("Proxy:TlsKey", keyPath), now ?? DateTime.UtcNow, _errors);
    }
}
