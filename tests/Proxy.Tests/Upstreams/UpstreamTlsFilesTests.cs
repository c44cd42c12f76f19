using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Upstreams;

/// <summary>Authorities in place of the system's: whom they vouch for, and what happens when their file is wrong.</summary>
public sealed class UpstreamTlsFilesTests : IDisposable
{
    private const string Section = "ReverseProxy:Clusters:c:HttpClient";

    private readonly TemporaryDirectory _directory = new();
    private readonly TlsAuthority _authority = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);

    public void Dispose()
    {
        _authority.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Files_ThatBecomeWrong_AreToldAndTheOldOnesStayInForce()
    {
        string file = _directory.Combine("ca.pem");
        File.WriteAllText(file, _authority.Pem);
        using UpstreamTlsFiles files = Read(("CaFile", file));
        Assert.Empty(files.Find());
        Assert.True(Trusts(files));

        File.WriteAllText(file, "nothing");
        _time.Advance(TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Contains("no certificate in PEM form", Assert.Single(files.Find()).Text, StringComparison.Ordinal);
        Assert.True(Trusts(files));

        using TlsAuthority other = new();
        File.WriteAllText(file, other.Pem);
        files.ReadAgain();
        Assert.Empty(files.Find());
        Assert.False(Trusts(files));
    }

    [Fact]
    public void Apply_ToACluster_SpeaksAsItsSettingsSay()
    {
        string file = _directory.Combine("ca.pem");
        File.WriteAllText(file, _authority.Pem);
        (string certificate, string key) = _authority.Issue("client");
        File.WriteAllText(_directory.Combine("client.pem"), certificate + key);
        using UpstreamTlsFiles files = Read(("CaFile", file), ("ClientCertificate", _directory.Combine("client.pem")));

        var ofCluster = new SslClientAuthenticationOptions();
        files.Apply("c", ofCluster);
        var ofOthers = new SslClientAuthenticationOptions();
        files.Apply(null, ofOthers);

        Assert.False(ofCluster.AllowTlsResume);
        Assert.Equal("CN=client", ofCluster.LocalCertificateSelectionCallback!(this, "h", [], null, [])!.Subject);
        Assert.Null(ofOthers.LocalCertificateSelectionCallback!(this, "h", [], null, []));
        using X509Certificate2 shown = Shown();
        Assert.False(ofOthers.RemoteCertificateValidationCallback!(this, shown, null, SslPolicyErrors.RemoteCertificateChainErrors));
        Assert.True(ofOthers.RemoteCertificateValidationCallback!(this, shown, null, SslPolicyErrors.None));
    }

    [Theory]
    [InlineData(SslPolicyErrors.None, true)]
    [InlineData(SslPolicyErrors.RemoteCertificateChainErrors, true)] // the system does not know the authority
    [InlineData(SslPolicyErrors.RemoteCertificateNameMismatch, false)]
    [InlineData(SslPolicyErrors.RemoteCertificateNameMismatch | SslPolicyErrors.RemoteCertificateChainErrors, false)]
    [InlineData(SslPolicyErrors.RemoteCertificateNotAvailable, false)]
    public void IsTrusted_ByAuthoritiesOfOurOwn_OnlyTheChainIsTheirs(SslPolicyErrors problems, bool expected)
    {
        X509Certificate2Collection authorities = [];
        authorities.ImportFromPem(_authority.Pem);
        var tls = new UpstreamTls(authorities, null);
        using X509Certificate2 shown = Shown();
        using var old = X509Certificate2.CreateFromPem(_authority.Issue("s", days: -1).Certificate);

        Assert.Equal(expected, tls.IsTrusted(shown, null, problems));
        Assert.False(tls.IsTrusted(null, null, problems));
        Assert.False(tls.IsTrusted(old, null, problems));
    }

    private UpstreamTlsFiles Read(params (string Name, string Value)[] settings) => new(new ConfigurationBuilder().AddInMemoryCollection(
        settings.Select(one => new KeyValuePair<string, string?>($"{Section}:{one.Name}", one.Value))).Build(), _time);

    private bool Trusts(UpstreamTlsFiles files)
    {
        var options = new SslClientAuthenticationOptions();
        files.Apply("C", options); // names of clusters are compared as YARP does
        using X509Certificate2 shown = Shown();
        return options.RemoteCertificateValidationCallback!(this, shown, null, SslPolicyErrors.RemoteCertificateChainErrors);
    }

    private X509Certificate2 Shown() => X509Certificate2.CreateFromPem(_authority.Issue("s").Certificate);
}
