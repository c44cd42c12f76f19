using System.Net;
using System.Text;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Upstreams;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Access;

public class AccessTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    [InlineData("2002:7f00:1::")]
    [InlineData("fe80::1")]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    [InlineData("224.0.0.1")]
    [InlineData("168.63.129.16")]
    [InlineData("fd00:ec2::254")]
    [InlineData("100.100.100.200")]
    [InlineData("fd20:ce::254")]
    [InlineData("192.0.0.192")]
    [InlineData("64:ff9b:1::7f00:1")]
    public void AddressGuard_LoopbackLinkLocalMetadata_IsRefused(string address) =>
        Assert.False(new AddressGuard([], TimeProvider.System).Allows(IPAddress.Parse(address)));

    [Theory]
    [InlineData("192.0.2.1")]
    [InlineData("203.0.113.7")]
    [InlineData("2001:db8::7")]
    public void AddressGuard_Elsewhere_IsAllowed(string address) =>
        Assert.True(new AddressGuard([], TimeProvider.System).Allows(IPAddress.Parse(address)));

    [Fact]
    public void AddressGuard_NetworkInTheSettings_IsAllowed() =>
        Assert.True(new AddressGuard(["127.0.0.0/8"], TimeProvider.System).Allows(IPAddress.Loopback));

    [Theory]
    [InlineData("www.example.org", 80, true)]
    [InlineData("WWW.example.org", 80, true)]
    [InlineData("www.example.org", 81, false)]
    [InlineData("a.example.net", 8080, true)]
    [InlineData("example.net", 8080, false)]
    [InlineData("evilexample.net", 8080, false)]
    public void Destinations_HostAndPort_MustBothMatch(string host, int port, bool expected) =>
        Assert.Equal(expected, new DestinationAccess(["www.example.org", "*.example.net:8080"]).Allows(host, port));

    [Theory]
    [InlineData("http://h/x?y=1", "h", 80)]
    [InlineData("http://h:81", "h", 81)]
    [InlineData("http://[::1]:9/", "::1", 9)]
    public void DestinationTarget_WellFormed_IsParsed(string target, string host, int port)
    {
        Assert.True(DestinationTarget.TryParse(target, out DestinationTarget parsed));
        Assert.Equal((host, port), (parsed.Host, parsed.Port));
    }

    [Theory]
    [InlineData("http://u@h/")]
    [InlineData("http://h/#f")]
    [InlineData("http://h/ x")]
    [InlineData("http://h/%2")]
    [InlineData("https://h/")]
    [InlineData("/x")]
    public void DestinationTarget_Malformed_IsNot(string target) => Assert.False(DestinationTarget.TryParse(target, out _));

    [Theory]
    [InlineData("CONNECT h.example.org:443 HTTP/1.1\r\nHost: h.example.org:443\r\n\r\n", "h.example.org", 443)]
    [InlineData("CONNECT h.example.org:443 HTTP/1.1\r\nHost: h.example.org\r\nUser-Agent: x\r\n\r\n", "h.example.org", 443)]
    [InlineData("CONNECT [2001:db8::1]:8443 HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\n\r\n", "2001:db8::1", 8443)]
    [InlineData("CONNECT h:1 HTTP/1.0\r\n\r\n", "h", 1)]
    public void ConnectRequest_WellFormed_IsParsed(string head, string host, int port)
    {
        ConnectRequest? parsed = ConnectRequest.Parse(Encoding.ASCII.GetBytes(head));

        Assert.Equal((host, port), (parsed?.Host, parsed?.Port));
    }

    [Theory]
    [InlineData("CONNECT h HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData("CONNECT h: HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData("CONNECT h:0 HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData("CONNECT h:65536 HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData("CONNECT u@h:1 HTTP/1.1\r\nHost: u@h:1\r\n\r\n")]
    [InlineData("CONNECT http://h:1/ HTTP/1.1\r\nHost: h:1\r\n\r\n")]
    [InlineData("CONNECT h:1 HTTP/1.1\r\n\r\n")]
    [InlineData("CONNECT h:1 HTTP/1.1\r\nHost: other:1\r\n\r\n")]
    [InlineData("CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\nHost: h:1\r\n\r\n")]
    [InlineData("CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\nContent-Length: 3\r\n\r\n")]
    [InlineData("CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\nTransfer-Encoding: chunked\r\n\r\n")]
    [InlineData("CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n folded\r\n\r\n")]
    [InlineData("CONNECT h:1 HTTP/1.1\r\nHost : h:1\r\n\r\n")]
    [InlineData("CONNECT h:1 HTTP/1.1\nHost: h:1\r\n\r\n")]
    [InlineData("CONNECT  h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n")]
    [InlineData("CONNECT h:1 HTTP/2.0\r\nHost: h:1\r\n\r\n")]
    public void ConnectRequest_Malformed_IsNot(string head) => Assert.Null(ConnectRequest.Parse(Encoding.ASCII.GetBytes(head)));

    [Fact]
    public void ConnectRequest_AnyBytes_IsParsedOrNot() =>
        Gen.OneOf(Gen.Byte.Array[0, 200],
        Gen.Char["CONET :.[]@/1h\r\n\t\0"].Array[0, 80].Select(c => Encoding.ASCII.GetBytes("CONNECT " + new string(c) + "\r\n\r\n")))
            .Sample(bytes => ConnectRequest.Parse(bytes) is not { } parsed || (parsed.Host.Length > 0 && parsed.Port is > 0 and <= 65535),
            iter: 20_000);

    [Theory]
    [InlineData("alice:secret", true)]
    [InlineData("bob:geheim", true)]
    [InlineData("alice:wrong", false)]
    [InlineData("nobody:secret", false)]
    [InlineData("alice", false)]
    public void Users_BasicCredentials_MustBeRight(string credentials, bool expected)
    {
        string digest = "sha256:" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("geheim"u8));
        ProxyUsers users = new(new Dictionary<string, string> { ["alice"] = "secret", ["bob"] = digest });

        Assert.Equal(expected, users.Allows("Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials))));
    }

    [Fact]
    public void Limits_Connections_AreCountedByClientAndGivenBack()
    {
        ClientLimits limits = new(2, 0, TimeProvider.System);
        IPAddress a = IPAddress.Parse("2001:db8::1"), sameNetwork = IPAddress.Parse("2001:db8::2"), b = IPAddress.Parse("2001:db8:1::1");

        Assert.True(limits.TryEnter(a));
        Assert.True(limits.TryEnter(sameNetwork));
        Assert.False(limits.TryEnter(a));
        Assert.True(limits.TryEnter(b));
        limits.Leave(sameNetwork);
        Assert.True(limits.TryEnter(a));
    }

    [Fact]
    public void Limits_Requests_ComingAnewWinsNothing()
    {
        FakeTimeProvider time = new();
        ClientLimits limits = new(0, 10, time);
        limits.TryEnter(IPAddress.Loopback);
        for (int i = 0; i < 15; i++)
        {
            limits.TakeTurn(IPAddress.Loopback);
        }

        limits.Leave(IPAddress.Loopback);
        limits.TryEnter(IPAddress.Loopback);
        Assert.True(limits.TakeTurn(IPAddress.Loopback) > TimeSpan.Zero);

        limits.Leave(IPAddress.Loopback);
        time.Advance(TimeSpan.FromSeconds(5));
        limits.TryEnter(IPAddress.IPv6Loopback); // forgets who is gone
        limits.TryEnter(IPAddress.Loopback);
        Assert.Equal(TimeSpan.Zero, limits.TakeTurn(IPAddress.Loopback));
    }

    [Fact]
    public void Limits_Requests_WaitThenAreRefused()
    {
        FakeTimeProvider time = new();
        ClientLimits limits = new(0, 10, time);
        limits.TryEnter(IPAddress.Loopback);
        for (int i = 0; i < 11; i++)
        {
            Assert.Equal(TimeSpan.Zero, limits.TakeTurn(IPAddress.Loopback));
        }

        Assert.Equal(TimeSpan.FromMilliseconds(100), limits.TakeTurn(IPAddress.Loopback));
        for (int i = 0; i < 19; i++)
        {
            Assert.NotNull(limits.TakeTurn(IPAddress.Loopback));
        }

        Assert.Null(limits.TakeTurn(IPAddress.Loopback));
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(TimeSpan.Zero, limits.TakeTurn(IPAddress.Loopback));
    }

    [Theory]
    [InlineData(50_000, 20_000L, 18_108)]
    [InlineData(1_000, 20_000L, 1_000)]
    [InlineData(50_000, 1_024L, 140)]
    [InlineData(50_000, null, 50_000)]
    public void Descriptors_Limit_BoundsTheConnections(int wanted, long? limit, int expected) =>
        Assert.Equal(expected, Breakwater.Proxy.Settings.DescriptorBudget.Connections(wanted, 128, 100, limit));
}
