using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Host;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.Tests.Host;

/// <summary>The whole proxy with all that settings can switch on, put together and not started.</summary>
public sealed class BuiltProxy : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private FasterObjectStore _store = null!;
    private WebApplication _app = null!;

    internal IServiceProvider Services => _app.Services;

    /// <summary>The instruments that are there before anybody has asked for anything.</summary>
    internal IReadOnlyCollection<string> Instruments { get; private set; } = [];

    public async Task InitializeAsync()
    {
        WriteCertificate();
        BreakwaterSettings settings = Load(rawPath: true, out IConfiguration configuration);
        _store = await FasterObjectStore.OpenAsync(settings.Store);
        _app = ProxyServer.Build(configuration, settings, _store);

        var names = new HashSet<string>(StringComparer.Ordinal);
        IMeterFactory meters = Services.GetRequiredService<IMeterFactory>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, told) =>
            {
                // Those of other tests' proxies are told of on their threads.
                if (ReferenceEquals(instrument.Meter.Scope, meters))
                {
                    names.Add(instrument.Name);
                }
            },
        };
        listener.Start();
        Instruments = names;
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        await _store.DisposeAsync();
        _directory.Dispose();
    }

    /// <summary>Another one on the same store, by the ordinary way alone.</summary>
    internal WebApplication BuildWithoutLoops()
    {
        BreakwaterSettings settings = Load(rawPath: false, out IConfiguration configuration);
        return ProxyServer.Build(configuration, settings, _store);
    }

    private BreakwaterSettings Load(bool rawPath, out IConfiguration configuration)
    {
        configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Proxy:Listen:0"] = "127.0.0.1:0",
            ["Proxy:RawPath"] = rawPath.ToString(),
            ["Proxy:RequestHeadTimeout"] = "00:00:07",
            ["Proxy:ClientTimeout"] = "00:00:42",
            ["Admin:Listen"] = "127.0.0.1:0",
            ["Store:Path"] = _directory.Combine("store"),
            ["Store:QuotaBytes"] = "268435456",
            ["AccessLog:Path"] = _directory.Combine("access.log"),
            ["Snmp:Listen"] = "127.0.0.1:0",
            ["Snmp:Community"] = "public",
            ["Cluster:Nodes:0"] = "https://n1.example.org:3129",
            ["Cluster:Name"] = "n1",
            ["Cluster:Listen"] = "127.0.0.1:0",
            ["Cluster:Certificate"] = _directory.Combine("n1.pem"),
            ["Cluster:TrustedCertificates"] = _directory.Combine("ca.pem"),
            ["Repositories:*.example.org:Cluster"] = "test",
            ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = "http://s1.example.org/",
            ["Logging:LogLevel:Default"] = "Error",
        }).Build();
        return BreakwaterSettings.Load(configuration);
    }

    private void WriteCertificate()
    {
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test site", authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using X509Certificate2 authority = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(100));
        File.WriteAllText(_directory.Combine("ca.pem"), authority.ExportCertificatePem());

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var own = new CertificateRequest("CN=n1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("n1");
        own.CertificateExtensions.Add(names.Build());
        own.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
            [new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], false));
        using X509Certificate2 certificate = own.Create(authority, now.AddDays(-1), now.AddDays(50), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(_directory.Combine("n1.pem"), certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n");
    }
}
