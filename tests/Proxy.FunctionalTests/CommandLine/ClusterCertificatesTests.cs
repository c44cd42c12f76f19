using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Breakwater.Proxy.Commands.Cluster;
using Breakwater.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.CommandLine;

/// <summary><c>breakwater cluster certificates</c>, and what TLS makes of its files.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class ClusterCertificatesTests : IDisposable
{
    private static readonly TimeSpan s_year = TimeSpan.FromDays(365);

    private readonly TemporaryDirectory _folder = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Command_Twice_MakesWhatIsMissingOnly_AndPrivateKeysAreTheOwnersAlone()
    {
        CommandResult first = await RunAsync("--node", "squid1", "squid2");
        byte[] one = await File.ReadAllBytesAsync(_folder.Combine("squid1.pem"));
        CommandResult second = await RunAsync("--node", "squid1", "squid2", "--node", "breakwater-0.lab");

        Assert.Equal((0, 0), (first.ExitCode, second.ExitCode));
        Assert.Equal(one, await File.ReadAllBytesAsync(_folder.Combine("squid1.pem")));
        Assert.Contains("squid1.pem: left as it is", second.Output, StringComparison.Ordinal);
        Assert.Contains("breakwater-0.lab.pem: made", second.Output, StringComparison.Ordinal);
        foreach (string secret in (string[])["site-ca.key", "squid1.pem", "squid2.pem", "breakwater-0.lab.pem"])
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder.Combine(secret)));
        }

        Assert.DoesNotContain("PRIVATE", await File.ReadAllTextAsync(_folder.Combine("site-ca.pem")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--node", "../squid1")]
    [InlineData("--node", "site-ca")]
    [InlineData("--node", "a..b")]
    [InlineData("--node", "")]
    [InlineData("--days", "0")]
    public async Task Command_WrongValue_IsNamed_AndNothingIsMade(string option, string value)
    {
        CommandResult result = await RunAsync(option, value);

        Assert.Equal(64, result.ExitCode);
        Assert.Contains(option, result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task Nodes_OfOneAuthority_TakeEachOther_AndNobodyElses()
    {
        using var elsewhere = new TemporaryDirectory();
        Authority().Prepare(false);
        Authority().Issue("squid1", s_year, false);
        Authority().Issue("squid2", s_year, false);
        var other = new SiteAuthority(elsewhere.Path, null, _time);
        other.Prepare(false);
        other.Issue("squid2", s_year, false);

        Assert.True(await ShakeHandsAsync(_folder.Combine("squid1.pem"), _folder.Combine("squid2.pem")));
        Assert.False(await ShakeHandsAsync(_folder.Combine("squid1.pem"), elsewhere.Combine("squid2.pem")));
    }

    [Fact]
    public async Task Certificate_NearItsEnd_IsRenewed_AndWithANewAuthorityBothAreTaken()
    {
        Authority().Prepare(false);
        WrittenCertificate first = Authority().Issue("squid1", s_year, false);
        Authority().Issue("squid2", s_year, false);
        _time.Advance(s_year / 2);
        Assert.False(Authority().Issue("squid1", s_year, false).IsNew);
        _time.Advance(s_year / 4);
        WrittenCertificate renewed = Authority().Issue("squid1", s_year, false);
        Assert.True(renewed.IsNew && renewed.ValidUntil > first.ValidUntil);

        _time.SetUtcNow(_time.GetUtcNow() + TimeSpan.FromSeconds(1));
        Assert.True(Authority().Prepare(true).IsNew);
        Assert.True(Authority().Issue("squid1", s_year, false).IsNew);
        Assert.True(await ShakeHandsAsync(_folder.Combine("squid1.pem"), _folder.Combine("squid2.pem")));
    }

    [Fact]
    public void AuthorityKey_Elsewhere_OpenToOthers_OrAnothers_IsSaid()
    {
        using var safe = new TemporaryDirectory();
        string key = safe.Combine("ca.key");
        Authority(key).Prepare(false);
        Assert.True(Authority(key).Issue("squid1", s_year, false).IsNew);
        Assert.False(File.Exists(_folder.Combine("site-ca.key")));

        Assert.Contains("--authority-key", Assert.Throws<IOException>(() => Authority().Issue("squid2", s_year, false)).Message,
            StringComparison.Ordinal);
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Assert.Contains("chmod 600", Assert.Throws<IOException>(() => Authority(key).Issue("squid2", s_year, false)).Message,
            StringComparison.Ordinal);
        var other = new SiteAuthority(safe.Path, null, _time);
        other.Prepare(false);
        Assert.Contains("is not the key of", Assert.Throws<IOException>(() =>
            Authority(other.KeyPath).Issue("squid2", s_year, false)).Message, StringComparison.Ordinal);
        File.Delete(other.CertificatePath);
        Assert.Contains("bring the authority's certificate back", Assert.Throws<IOException>(() => other.Prepare(false)).Message,
            StringComparison.Ordinal);
    }

    /// <summary>A third of the validity, and the authority's own end, from both sides.</summary>
    [Fact]
    public void Certificate_WithAThirdLeft_IsRenewedAndNoneOutlivesItsAuthority()
    {
        _time.SetUtcNow(DateTimeOffset.FromUnixTimeSeconds(_time.GetUtcNow().ToUnixTimeSeconds() + 1)); // certificates have whole seconds
        DateTimeOffset made = _time.GetUtcNow();
        DateTimeOffset authorityEnd = Authority().Prepare(false).ValidUntil;
        Assert.Equal(made.AddDays(3650), authorityEnd);
        Assert.Equal(made.AddDays(90), Authority().Issue("squid1", TimeSpan.FromDays(90), false).ValidUntil);

        _time.Advance(TimeSpan.FromDays(60) - TimeSpan.FromSeconds(1));
        Assert.False(Authority().Issue("squid1", TimeSpan.FromDays(90), false).IsNew);
        Assert.True(Authority().Issue("squid1", TimeSpan.FromDays(90), true).IsNew);
        _time.Advance(TimeSpan.FromDays(60));
        Assert.True(Authority().Issue("squid1", TimeSpan.FromDays(90), false).IsNew);

        _time.SetUtcNow(authorityEnd - TimeSpan.FromDays(1) - TimeSpan.FromSeconds(1));
        Assert.Equal(authorityEnd, Authority().Issue("squid1", TimeSpan.FromDays(90), false).ValidUntil);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Contains("--new-authority", Assert.Throws<IOException>(() =>
            Authority().Issue("squid2", TimeSpan.FromDays(90), false)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Folder_ThatIsNotThere_IsMadeForItsOwnerAlone()
    {
        string folder = _folder.Combine("new");

        WrittenCertificate authority = new SiteAuthority(folder, null, _time).Prepare(false);

        Assert.Equal((Path.Combine(folder, "site-ca.pem"), true), (authority.File, authority.IsNew));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        Assert.Equal((authority.Name, authority.ValidUntil, false), new SiteAuthority(folder, null, _time).Prepare(false) is var there
            ? (there.Name, there.ValidUntil, there.IsNew)
            : default);
    }

    [Theory]
    [InlineData(63, true)]
    [InlineData(64, false)]         // a label of DNS has 63
    public void NodeName_OfOneLabel_IsAsLongAsALabel(int length, bool isName) =>
        Assert.Equal(isName, SiteAuthority.IsNodeName(new string('a', length)));

    [Theory]
    [InlineData(32, true)]
    [InlineData(33, false)]
    public void NodeName_OfTwoLabels_HasSixtyFourLettersAtMost(int second, bool isName) =>
        Assert.Equal(isName, SiteAuthority.IsNodeName($"{new string('a', 31)}.{new string('b', second)}"));

    private SiteAuthority Authority(string? key = null) => new(_folder.Path, key, _time);

    private Task<CommandResult> RunAsync(params string[] arguments) =>
        BreakwaterCommand.RunAsync(
            BreakwaterCommand.NoSettings, ["cluster", "certificates", "--directory", _folder.Path, .. arguments]);

    /// <summary>Mutual TLS between two nodes that trust this folder's authorities. True: both sides took the other.</summary>
    private async Task<bool> ShakeHandsAsync(string server, string client)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var connection = new TcpClient();
        await connection.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        using TcpClient accepted = await listener.AcceptTcpClientAsync().InTimeAsync();
        await using var serverSide = new SslStream(accepted.GetStream());
        await using var clientSide = new SslStream(connection.GetStream());
        Task serving = serverSide.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificate = Load(server),
            ClientCertificateRequired = true,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => IsTrusted(certificate),
        });
        Task asking = clientSide.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "squid1",
            ClientCertificates = [Load(client)],
            RemoteCertificateValidationCallback = (_, certificate, _, _) => IsTrusted(certificate),
        });
        await Task.WhenAny(serving, asking).InTimeAsync();
        if (serving.IsFaulted || asking.IsFaulted)
        {
            // One that has refused leaves the other waiting.
            accepted.Close();
            connection.Close();
        }

        try
        {
            await Task.WhenAll(serving, asking).InTimeAsync();
            return true;
        }
        catch (Exception e) when (e is AuthenticationException or IOException or ObjectDisposedException)
        {
            return false;
        }
    }

    private bool IsTrusted(X509Certificate? certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.ImportFromPemFile(_folder.Combine("site-ca.pem"));
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = _time.GetUtcNow().LocalDateTime;
        return certificate is X509Certificate2 shown && chain.Build(shown);
    }

    private static X509Certificate2 Load(string path)
    {
        using var pem = X509Certificate2.CreateFromPemFile(path, path);
        return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
    }
}
