using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>
/// TLS towards clients, on the admin port, and towards others: over real sockets, on the event loops' transport and Kestrel's.
/// </summary>
public sealed class TlsTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly TlsAuthority _authority = new();
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private readonly SyntheticObject _item = new(50_000);
    private readonly List<X509Certificate2> _certificates = [];

    public static TheoryData<bool> BothPaths => [true, false];

    private string CertificateFile => _directory.Combine("certificate.pem");

    private string KeyFile => _directory.Combine("key.pem");

    public Task InitializeAsync()
    {
        _item.On(_upstream);
        Write(_authority.Issue("first"));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _upstream.DisposeAsync();
        _certificates.ForEach(static certificate => certificate.Dispose());
        _authority.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [MemberData(nameof(BothPaths))]
    public async Task Client_OverTls_IsServedHitsMissesAndTunnelsAndThePlainPortStays(bool rawPath)
    {
        string authority = _upstream.EndPoint.ToString()!;
        await using ProxyUnderTest proxy = await StartAsync(
            rawPath, ("Access:Connect:0", authority), ("Access:AllowedUpstreams:0", "127.0.0.1/32"));
        await using SslStream client = await ConnectAsync(proxy);
        Assert.Equal("CN=first", client.RemoteCertificate!.Subject);
        Assert.Equal(SslApplicationProtocol.Http11, client.NegotiatedApplicationProtocol);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal((200, _item.Bytes.Length), await GetAsync(client, _item.Url));
        }

        await using SslStream tunnel = await ConnectAsync(proxy);
        await tunnel.WriteAsync(Encoding.ASCII.GetBytes($"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n"));
        Assert.Equal(200, (await HeadAsync(tunnel)).Status);
        Assert.Equal((200, _item.Bytes.Length), await GetAsync(tunnel, _item.Path));

        Assert.Equal(_item.Bytes, (await proxy.GetAsync(_item.Url)).Body);
    }

    [Theory]
    [MemberData(nameof(BothPaths))]
    public async Task PlainRequest_OnThePortOfTls_GetsNothing(bool rawPath)
    {
        await using ProxyUnderTest proxy = await StartAsync(rawPath);
        Assert.Equal(200, (await proxy.GetAsync(_item.Url)).Status);

        using RawHttpClient plain = await RawHttpClient.ConnectAsync(proxy.TlsEndPoint!);
        await plain.SendAsync(RawHttpClient.Request("GET", _item.Url));

        await Assert.ThrowsAnyAsync<Exception>(() => plain.ReadHeadAsync());
    }

    [Theory]
    [MemberData(nameof(BothPaths))]
    public async Task ProxyHeader_StandsBeforeTlsAndCounts(bool rawPath)
    {
        await using ProxyUnderTest proxy = await StartAsync(
            rawPath, ("Proxy:ProxyProtocol:0", "127.0.0.1/32"), ("Access:Clients:0", "10.1.2.3/32"));
        foreach ((string named, int expected) in ((string, int)[])[("10.1.2.3", 200), ("10.1.2.4", 403)])
        {
            await using SslStream client = await ConnectAsync(proxy, $"PROXY TCP4 {named} 10.0.0.1 50000 3443\r\n");

            Assert.Equal(expected, (await GetAsync(client, _item.Url)).Status);
        }
    }

    [Theory]
    [MemberData(nameof(BothPaths))]
    public async Task Certificate_Renewed_IsShownToNewConnectionsAndOldOnesLive(bool rawPath)
    {
        FakeTimeProvider time = new(DateTimeOffset.UtcNow);
        await using ProxyUnderTest proxy = await StartAsync(rawPath, time);
        await using SslStream old = await ConnectAsync(proxy);
        Assert.Equal(200, (await GetAsync(old, _item.Url)).Status);
        Health health = proxy.Services.GetRequiredService<Health>();

        // A key that is not the certificate's leaves the old pair in force, and says so.
        (string certificate, string key) = _authority.Issue("second");
        await File.WriteAllTextAsync(CertificateFile, certificate);
        await Waiting.UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1)); // its files are looked at
            return health.Check().Findings.Any(finding => finding.Name == "tls-certificate-refused"
                && finding.Text.Contains("Proxy:TlsKey: ", StringComparison.Ordinal));
        });
        Assert.Equal("CN=first", await SubjectAsync(proxy));

        await File.WriteAllTextAsync(KeyFile, key);
        await Waiting.UntilAsync(async () =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return await SubjectAsync(proxy) == "CN=second";
        });
        Assert.DoesNotContain(health.Check().Findings, finding => finding.Name.StartsWith("tls-", StringComparison.Ordinal));
        Assert.Equal(200, (await GetAsync(old, _item.Url)).Status);
    }

    [Fact]
    public async Task Certificate_ThatEndsSoon_IsAFinding()
    {
        Write(_authority.Issue("soon", days: 1));
        await using ProxyUnderTest proxy = await StartAsync(true);

        Assert.Contains(proxy.Services.GetRequiredService<Health>().Check().Findings, finding => finding.Name == "tls-certificate-ends");
    }

    [Fact]
    public async Task AdminPort_WithACertificate_SpeaksTlsAndCommandsFindIt()
    {
        await using ProxyUnderTest proxy = await StartAsync(
            true, ("Admin:TlsCertificate", CertificateFile), ("Admin:TlsKey", KeyFile), ("Admin:TokenFile", _directory.Combine("token")));
        Uri address = proxy.Services.GetRequiredService<AdminServer>().Address!;
        Assert.Equal("https", address.Scheme);

        using var command = new AdminClient(proxy.Services.GetRequiredService<BreakwaterSettings>());
        Assert.NotNull(await command.GetAsync<object>("status", CancellationToken.None));

        using var stranger = new HttpClient { Timeout = Waiting.Hang };
        await Assert.ThrowsAsync<HttpRequestException>(() => stranger.GetStringAsync(new Uri(address, "/healthz/live")));
    }

    [Theory]
    [InlineData(true, true, 200)]
    [InlineData(true, false, 502)]
    [InlineData(false, true, 502)]
    public async Task Upstream_OfTls_NeedsItsAuthorityAndTheCertificateThatItAsksFor(bool knowsAuthority, bool hasCertificate, int expected)
    {
        await using WebApplication server = await StartServerAsync();
        await using ProxyUnderTest proxy = await StartAsync(
            true,
            [("ReverseProxy:Clusters:test:Destinations:s1:Address", AddressOf(server) + "/"),
            .. Files("ReverseProxy:Clusters:test:HttpClient", knowsAuthority, hasCertificate)]);

        Assert.Equal(expected, (await proxy.GetAsync(_item.Url)).Status);
    }

    /// <summary>The origin's certificate is for its own name, and clients ask for the site's: as a front has it.</summary>
    [Theory]
    [InlineData(true, true, 200)]
    [InlineData(true, false, 502)]
    [InlineData(false, true, 502)]
    public async Task Origin_OfTls_NeedsItsAuthorityAndTheCertificateThatItAsksFor(bool knowsAuthority, bool hasCertificate, int expected)
    {
        await using WebApplication server = await StartServerAsync();
        await using ProxyUnderTest proxy = await StartAsync(
            true,
            [("Http:Sites:files.example.org:Origin", AddressOf(server) + "/below/"), .. Files("Http", knowsAuthority, hasCertificate)]);
        for (int i = 0; i < 2; i++)
        {
            using RawHttpClient client = await proxy.ConnectAsync();
            await client.SendAsync("GET /a%2Fb?x=1 HTTP/1.1\r\nHost: files.example.org\r\n\r\n");
            RawResponse response = await client.ReadResponseAsync();

            Assert.Equal(expected, response.Status);
            if (expected == 200)
            {
                string said = Encoding.ASCII.GetString(response.Body);
                Assert.EndsWith("|files.example.org/below/a%2Fb?x=1", said, StringComparison.Ordinal);
                Assert.False(said.StartsWith("files.example.org|", StringComparison.Ordinal), said);
            }
        }
    }

    /// <summary>Whoever has a certificate for the site's name is not the origin by that, and a mirror is asked by its own name.</summary>
    [Fact]
    public async Task Origin_OfTlsByAnotherName_IsRefusedAndItsMirrorIsAsked()
    {
        await using WebApplication impostor = await StartServerAsync("files.example.org", isForLoopback: false);
        await using WebApplication mirror = await StartServerAsync("mirror");
        await using ProxyUnderTest proxy = await StartAsync(
            true,
            [("Http:Sites:files.example.org:Origin", AddressOf(impostor) + "/"),
            ("Http:Sites:one.example.org:Origin", AddressOf(impostor) + "/"),
            ("Http:Sites:files.example.org:Mirrors:0", AddressOf(mirror) + "/"), .. Files("Http", true, true)]);
        foreach ((string host, int expected) in ((string, int)[])[("files.example.org", 200), ("one.example.org", 502)])
        {
            using RawHttpClient client = await proxy.ConnectAsync();
            await client.SendAsync($"GET /page HTTP/1.1\r\nHost: {host}\r\n\r\n");

            Assert.Equal(expected, (await client.ReadResponseAsync()).Status);
        }
    }

    private (string Name, string Value)[] Files(string section, bool knowsAuthority, bool hasCertificate)
    {
        File.WriteAllText(_directory.Combine("authority.pem"), _authority.Pem);
        return
        [
            ($"{section}:CaFile", knowsAuthority ? _directory.Combine("authority.pem") : ""),
            ($"{section}:ClientCertificate", hasCertificate ? CertificateFile : ""),
            ($"{section}:ClientKey", hasCertificate ? KeyFile : ""),
        ];
    }

    /// <summary>A server that wants a certificate of the authority. It sends the object, or for other paths what it was asked.</summary>
    private async Task<WebApplication> StartServerAsync(string name = "origin", bool isForLoopback = true)
    {
        (string certificate, string key) = _authority.Issue(name, isForLoopback: isForLoopback);
        var own = X509Certificate2.CreateFromPem(certificate, key);
        _certificates.Add(own);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(
            new HttpsConnectionAdapterOptions
            {
                ServerCertificate = own,
                ClientCertificateMode = ClientCertificateMode.RequireCertificate,
                ClientCertificateValidation = (shown, _, _) => _authority.HasIssued(shown),
            })));
        WebApplication server = builder.Build();
        server.Run(context => context.Response.Body.WriteAsync(context.Request.Path == _item.Path
            ? _item.Bytes
            : Encoding.ASCII.GetBytes($"{context.Features.GetRequiredFeature<ITlsHandshakeFeature>().HostName}|{context.Request.Host}"
                + context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget)).AsTask());
        await server.StartAsync();
        return server;
    }

    private static string AddressOf(WebApplication server) =>
        server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    private void Write((string Certificate, string Key) pair)
    {
        File.WriteAllText(CertificateFile, pair.Certificate);
        File.WriteAllText(KeyFile, pair.Key);
    }

    private Task<ProxyUnderTest> StartAsync(bool rawPath, params (string Name, string Value)[] settings) =>
        StartAsync(rawPath, null, settings);

    private Task<ProxyUnderTest> StartAsync(bool rawPath, TimeProvider? time, params (string Name, string Value)[] settings)
    {
        Dictionary<string, string?> all = new()
        {
            ["Proxy:RawPath"] = rawPath.ToString(),
            ["Proxy:TlsListen:0"] = "127.0.0.1:0",
            ["Proxy:TlsCertificate"] = CertificateFile,
            ["Proxy:TlsKey"] = KeyFile,
        };
        foreach ((string name, string value) in settings)
        {
            all[name] = value;
        }

        return ProxyUnderTest.StartAsync(all, time, _upstream);
    }

    private async Task<SslStream> ConnectAsync(ProxyUnderTest proxy, string before = "")
    {
        RawHttpClient connection = await RawHttpClient.ConnectAsync(proxy.TlsEndPoint!);
        await connection.SendAsync(before);
        var tls = new SslStream(new System.Net.Sockets.NetworkStream(connection.Socket, ownsSocket: true));
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "127.0.0.1",
            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
            RemoteCertificateValidationCallback = (_, shown, _, _) => _authority.HasIssued(shown),
        }).InTimeAsync(what: "a handshake");
        return tls;
    }

    private async Task<string> SubjectAsync(ProxyUnderTest proxy)
    {
        await using SslStream client = await ConnectAsync(proxy);
        return client.RemoteCertificate!.Subject;
    }

    private static async Task<(int Status, int Length)> GetAsync(SslStream client, string target)
    {
        await client.WriteAsync(RawHttpClient.Request("GET", target));
        (int status, int length) = await HeadAsync(client);
        await client.ReadExactlyAsync(new byte[length]).AsTask().InTimeAsync(what: "a body");
        return (status, length);
    }

    private static async Task<(int Status, int Length)> HeadAsync(SslStream client)
    {
        List<byte> head = [];
        byte[] one = new byte[1];
        while (!Encoding.ASCII.GetString([.. head]).EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await client.ReadExactlyAsync(one).AsTask().InTimeAsync(what: "an answer");
            head.Add(one[0]);
        }

        string[] lines = Encoding.ASCII.GetString([.. head]).Split("\r\n");
        string? length = lines.FirstOrDefault(line => line.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase));
        return (int.Parse(lines[0].Split(' ')[1], null), length is null ? 0 : int.Parse(length[16..], null));
    }
}
