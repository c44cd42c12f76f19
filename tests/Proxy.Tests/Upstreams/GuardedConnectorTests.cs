using System.Net;
using System.Net.Sockets;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Upstreams;

/// <summary>The address that was checked is the address that is connected: real sockets, names as an attacker would answer them.</summary>
public sealed class GuardedConnectorTests : IDisposable
{
    private static readonly IPAddress s_meant = IPAddress.Parse("127.0.0.2");
    private readonly Socket _good;
    private readonly Socket _trap;
    private readonly int _port;

    public GuardedConnectorTests()
    {
        (_good, _trap) = OnOnePort();
        _port = ((IPEndPoint)_good.LocalEndPoint!).Port;
        _good.Listen();
        _trap.Listen();
    }

    /// <summary>A port that is free on one address may be taken on the other, by a connection of another test: then the next one.</summary>
    private static (Socket Good, Socket Trap) OnOnePort()
    {
        for (int tries = 1; ; tries++)
        {
            var good = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            var trap = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                good.Bind(new IPEndPoint(s_meant, 0));
                trap.Bind(new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)good.LocalEndPoint!).Port));
                return (good, trap);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse && tries < 100)
            {
                good.Dispose();
                trap.Dispose();
            }
        }
    }

    public void Dispose()
    {
        _good.Dispose();
        _trap.Dispose();
    }

    [Fact]
    public async Task Name_ThatResolvesAnew_IsAskedOnceAndTheCheckedAddressIsConnected()
    {
        Names names = new([s_meant], [IPAddress.Loopback]);

        await using Stream stream = await ConnectAsync(names);

        using Socket accepted = await _good.AcceptAsync().InTimeAsync();
        Assert.Equal((1, false), (names.Asked, _trap.Poll(0, SelectMode.SelectRead)));
    }

    [Fact]
    public async Task Name_WithAGoodAndAForbiddenAddress_OnlyTheGoodOneIsConnected()
    {
        await using Stream stream = await ConnectAsync(new Names([IPAddress.Loopback, s_meant]));

        using Socket accepted = await _good.AcceptAsync().InTimeAsync();
        Assert.False(_trap.Poll(0, SelectMode.SelectRead));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("fe80::1%1")]
    [InlineData("169.254.169.254")]
    public async Task Name_OfAForbiddenAddress_IsNotConnectedAndTheNetworkThatAllowsItIsNamed(string address)
    {
        ProhibitedAddressException refused =
            await Assert.ThrowsAsync<ProhibitedAddressException>(() => ConnectAsync(new Names([IPAddress.Parse(address)])));

        Assert.Contains("Access:AllowedUpstreams", refused.Message, StringComparison.Ordinal);
        Assert.True(new AddressGuard([refused.Network], TimeProvider.System).Allows(IPAddress.Parse(address)));
        Assert.False(_trap.Poll(0, SelectMode.SelectRead));
    }

    [Fact]
    public async Task Name_LookedUpForLongerThanAConnectionMayTake_IsConnected()
    {
        var options = new ProxyOptions { ConnectTimeout = TimeSpan.FromMilliseconds(500) };
        using var connector =
            new GuardedConnector(new AddressGuard(["127.0.0.2/32"], TimeProvider.System),
            new SlowNames(2 * options.ConnectTimeout, s_meant), options, TimeProvider.System);

        await using Stream stream = await connector.ConnectForClientAsync(new DnsEndPoint("slow.example.org", _port), default);

        using Socket accepted = await _good.AcceptAsync().InTimeAsync();
    }

    [Fact]
    public async Task Name_RememberedAndNoLongerAllowed_IsNotConnected()
    {
        var guard = new AddressGuard(["127.0.0.2/32"], TimeProvider.System);
        Names names = new([s_meant]);
        using var connector = new GuardedConnector(guard, names, new ProxyOptions(), TimeProvider.System);
        await using Stream stream = await connector.ConnectForClientAsync(new DnsEndPoint("rebound.example.org", _port), default);

        guard.Replace([]);

        await Assert.ThrowsAsync<ProhibitedAddressException>(() =>
            connector.ConnectForClientAsync(new DnsEndPoint("rebound.example.org", _port), default).AsTask());
        Assert.Equal(1, names.Asked);
    }

    private Task<Stream> ConnectAsync(IHostNames names) =>
        new GuardedConnector(new AddressGuard(["127.0.0.2/32"], TimeProvider.System), names, new ProxyOptions(),
        TimeProvider.System).ConnectForClientAsync(new DnsEndPoint("rebound.example.org", _port), default).InTimeAsync();

    private sealed class Names(params IPAddress[][] answers) : IHostNames
    {
        public int Asked { get; private set; }

        public Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken) =>
            Task.FromResult(answers[Math.Min(Asked++, answers.Length - 1)]);
    }

    private sealed class SlowNames(TimeSpan delay, IPAddress address) : IHostNames
    {
        public async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
        {
            await Task.Delay(delay, cancellationToken);
            return [address];
        }
    }
}
