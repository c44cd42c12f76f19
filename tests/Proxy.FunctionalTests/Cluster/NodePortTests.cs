using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Observability;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Cluster;

/// <summary>The node port takes nodes of the site and nobody else; who is refused is said, and it lives on.</summary>
public sealed class NodePortTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private SiteOfNodes _site = null!;
    private string[] _allowed = [];

    public async Task InitializeAsync() => await StartAsync();

    public async Task DisposeAsync()
    {
        await _site.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task Node_WithItsCertificate_IsAnswered()
    {
        await AnswersANodeAsync();
        Assert.Equal(0, Refused());
    }

    [Fact]
    public async Task Certificate_OfAnotherAuthority_IsRefused()
    {
        using var foreign = new SiteAuthority();
        using X509Certificate2 other = foreign.IssueInMemory("n1");

        await RefusesAsync(() => AskAsync(other, "GET /node/live HTTP/1.1\r\nHost: x\r\n\r\n"));
    }

    [Fact]
    public async Task Certificate_None_IsRefused() =>
        await RefusesAsync(() => AskAsync(null, "GET /node/live HTTP/1.1\r\nHost: x\r\n\r\n"));

    [Theory]
    [InlineData("GET /node/live HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("SSH-2.0-OpenSSH_9.6\r\n")]
    [InlineData("\u0000\u0001\u0002garbage")]
    public async Task NoTls_IsRefused(string bytes) => await RefusesAsync(async () =>
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(_site.NodePort(0));
        await socket.SendAsync(Encoding.Latin1.GetBytes(bytes));
        socket.Shutdown(SocketShutdown.Send);
        return await ReadAsync(new NetworkStream(socket));
    });

    [Theory]
    [InlineData("id=n1;site=elsewhere")]
    [InlineData("id=n2;site=default")]
    [InlineData("id=n0;site=default")]
    [InlineData("nonsense")]
    public async Task Request_OfAnotherSiteOrUnderAnotherName_IsRefused(string says)
    {
        using X509Certificate2 mine = _site.Authority.IssueInMemory("n1");

        await RefusesAsync(() => AskAsync(mine,
            $"GET /node/state HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{NodeAnnouncement.Field}: {says}\r\n\r\n"));
    }

    [Fact]
    public async Task Address_NotAllowed_IsRefused()
    {
        await _site.DisposeAsync();
        _allowed = ["192.0.2.0/24"];
        await StartAsync();

        await Waiting.UntilAsync(() => Refused() > 0); // its own probe comes from loopback
    }

    /// <summary>Each record costs both nodes a call to the system and a turn of their own.</summary>
    [Fact]
    public async Task Object_IsSentInRecordsAsLargeAsTlsAllows()
    {
        SyntheticObject item = new SyntheticObject(60_000).On(_upstream);
        using (RawHttpClient client = await _site[0].ConnectAsync())
        {
            Assert.Equal(item.Bytes, (await client.GetAsync(item.Url)).Body);
        }

        using X509Certificate2 mine = _site.Authority.IssueInMemory("n1");
        using var received = new MemoryStream();
        string answer = await AskAsync(mine, $"GET {item.Path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", received);

        Assert.EndsWith(Encoding.Latin1.GetString(item.Bytes), answer, StringComparison.Ordinal);
        Assert.InRange(LargeRecords(received.ToArray()), 4, 5);
    }

    [Theory]
    [InlineData("PUT /cvmfs/a.example.org/.cvmfspublished", 405)]
    [InlineData("GET /cvmfs/none.example.com/.cvmfspublished", 404)]
    [InlineData("GET /cvmfs/a.example.org/.cvmfsreflog", 404)]
    [InlineData("GET /node/../etc/passwd", 404)]
    [InlineData("GET http://other.example.org/cvmfs/a.example.org/.cvmfspublished", 400)]
    [InlineData("GET /api/v1/status", 404)]
    public async Task Request_ForWhatNodesDoNotAsk_IsNotServed(string request, int status)
    {
        using X509Certificate2 mine = _site.Authority.IssueInMemory("n1");

        string answer = await AskAsync(mine, $"{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

        Assert.StartsWith($"HTTP/1.1 {status}", answer, StringComparison.Ordinal);
        Assert.Empty(_upstream.Requests);
    }

    private async Task AnswersANodeAsync()
    {
        using X509Certificate2 mine = _site.Authority.IssueInMemory("n1");

        string answer = await AskAsync(mine, "GET /node/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 204", answer, StringComparison.Ordinal);
        Assert.Contains("id=n0;site=default;protocol=1", answer, StringComparison.Ordinal);
    }

    private async Task StartAsync() => _site = await SiteOfNodes.StartAsync(1, [_upstream], _ =>
    {
        Dictionary<string, string?> settings = [];
        foreach ((int i, string network) in _allowed.Index())
        {
            settings[$"Cluster:AllowedNodes:{i}"] = network;
        }

        return settings;
    });

    private long Refused() => _site[0].Services.GetRequiredService<Upstreams.NodeCounters>().Totals.Refused;

    /// <summary>It is refused, that is counted and found, and a node is answered after it.</summary>
    private async Task RefusesAsync(Func<Task<string>> ask)
    {
        string answer;
        try
        {
            answer = await ask().InTimeAsync();
        }
        catch (Exception e) when (e is IOException or SocketException or AuthenticationException)
        {
            answer = "";
        }

        Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 403", StringComparison.Ordinal), answer);
        await Waiting.UntilAsync(() => Refused() > 0);
        Assert.Contains("node-port-refused",
            _site[0].Services.GetRequiredService<Health>().Check().Findings.Select(finding => finding.Name));
        using X509Certificate2 mine = _site.Authority.IssueInMemory("n1");
        Assert.StartsWith("HTTP/1.1 204",
            await AskAsync(mine, "GET /node/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
    }

    /// <summary>Records that have more than a handshake's messages, RFC 8446, 5.1.</summary>
    private static int LargeRecords(ReadOnlySpan<byte> received)
    {
        int large = 0;
        while (received.Length >= 5)
        {
            int length = BinaryPrimitives.ReadUInt16BigEndian(received[3..]);
            large += length > 3_000 ? 1 : 0;
            received = received[Math.Min(received.Length, 5 + length)..];
        }

        return large;
    }

    private async Task<string> AskAsync(X509Certificate2? certificate, string request, MemoryStream? received = null)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(_site.NodePort(0));
        var network = new NetworkStream(socket);
        Stream stream = received is null ? network : new Overheard(network, received);
        await using var tls = new SslStream(stream, false);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "n0",
            ClientCertificates = certificate is null ? null : [certificate],
            RemoteCertificateValidationCallback = (_, server, _, _) => server?.Subject == "CN=n0",
        });
        await tls.WriteAsync(Encoding.Latin1.GetBytes(request));
        return await ReadAsync(tls).InTimeAsync();
    }

    private static async Task<string> ReadAsync(Stream stream)
    {
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return await reader.ReadToEndAsync();
    }

    /// <summary>Keeps what is read.</summary>
    private sealed class Overheard(NetworkStream inner, MemoryStream received) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int read = await inner.ReadAsync(buffer, cancellationToken);
            received.Write(buffer.Span[..read]);
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            inner.WriteAsync(buffer, cancellationToken);

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
