using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Faults;

/// <summary>
/// Sockets that a service manager keeps (breakwater.socket): what becomes of who connects while no process, or none that can start, is
/// there.
/// </summary>
[Collection(ServeProcess.OneAtATime)]
public sealed class HandOverTests : IAsyncLifetime
{
    private const int Waiters = 20;
    private readonly TemporaryDirectory _directory = new();
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private readonly Socket _listener = Listen();
    private SyntheticObject _item = null!;

    private IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndPoint!;

    public Task InitializeAsync()
    {
        _item = new SyntheticObject(5_000).On(_upstream);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        _listener.Dispose();
        await _upstream.DisposeAsync();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task Restart_WhoConnectsMeanwhile_IsAnsweredByTheNextProcess(bool rawPath, bool isKilled)
    {
        (string, string)[] settings = [("Proxy:RawPath", rawPath.ToString()), ("LISTEN_FDNAMES", "breakwater.socket")];
        await using (ServeProcess first = await StartAsync(_listener, settings))
        {
            await AssertServesAsync(EndPoint);
            if (!isKilled)
            {
                Assert.Equal(0, await first.TerminateAsync());
            }
        }

        RawHttpClient[] waiting = await Task.WhenAll(Enumerable.Range(0, Waiters).Select(async _ =>
        {
            RawHttpClient client = await RawHttpClient.ConnectAsync(EndPoint);
            await client.SendAsync(RawHttpClient.Request("GET", _item.Url));
            return client;
        }));
        await using ServeProcess next = await StartAsync(_listener, settings);
        foreach (RawHttpClient client in waiting)
        {
            Assert.Equal(_item.Bytes, (await client.ReadResponseAsync()).Body);
            client.Dispose();
        }
    }

    [Theory]
    [InlineData("Proxy:AnswerTimeout", "a while", "Proxy:AnswerTimeout")]
    [InlineData("Nonsense:Path", "x", null)]
    [InlineData("Store:Path", "/proc/nowhere", "cannot start")]
    [InlineData("Admin:Listen", "203.0.113.1:9128", "cannot start")]
    public async Task Restart_WithoutAStart_WhoWaitsIsResetAndWhoComesIsRefusedUntilOneSucceeds(string name, string value, string? says)
    {
        await (await StartAsync(_listener)).DisposeAsync();
        using RawHttpClient waiting = await RawHttpClient.ConnectAsync(EndPoint);
        await waiting.SendAsync(RawHttpClient.Request("GET", _item.Url));

        if (says is null)
        {
            // An argument that is wrong: the command line ends the process before any setting is read.
            string missing = _directory.Combine("missing.json");
            Assert.Contains(missing, await FailsAsync([], "--settings", missing), StringComparison.Ordinal);
        }
        else
        {
            Assert.Contains(says, await FailsAsync([(name, value)]), StringComparison.Ordinal);
        }

        await AssertRefusedAsync(EndPoint);
        await Assert.ThrowsAnyAsync<Exception>(() => waiting.ReadHeadAsync());

        await using ServeProcess next = await StartAsync(_listener);
        await AssertServesAsync(EndPoint);
    }

    [Fact]
    public async Task SecondProcess_OnTheSameSocketAndStore_LeavesTheFirstOneServing()
    {
        await using ServeProcess first = await StartAsync(_listener);

        Assert.Contains("is in use by process", await FailsAsync([]), StringComparison.Ordinal);

        await AssertServesAsync(EndPoint);
    }

    [Fact]
    public async Task ProxyListen_OtherThanWhatIsHandedOver_StopsTheStartAndSaysWhatToDo()
    {
        string said = await FailsAsync([("Proxy:Listen:0", "127.0.0.1:1")]);

        Assert.Contains($"{EndPoint}", said, StringComparison.Ordinal);
        Assert.Contains("Proxy:Listen is 127.0.0.1:1", said, StringComparison.Ordinal);
        Assert.Contains("breakwater socket-unit --write", said, StringComparison.Ordinal);
        await AssertRefusedAsync(EndPoint);
    }

    [Fact]
    public async Task ProxyListen_MoreThanWhatIsHandedOver_TheRestIsOpened()
    {
        IPEndPoint other = FreeEndPoint();
        await using ServeProcess proxy = await StartAsync(_listener, ("Proxy:Listen:1", other.ToString()));

        await AssertServesAsync(EndPoint);
        await AssertServesAsync(other);
    }

    [Fact]
    public async Task HandedOver_ProxyWpadAndAdmin_EachHasItsPort()
    {
        using Socket wpad = Listen();
        using Socket admin = Listen();
        await using ServeProcess proxy = await ServeProcess.StartWithAsync(
            [wpad, _listener, admin],
            _directory.Combine("store"),
            [_upstream],
            [],
            [
                ("LISTEN_FDNAMES", "wpad:proxy:admin"),
                ("Proxy:Listen:0", EndPoint.ToString()),
                ("ZeroTouch:Listen", wpad.LocalEndPoint!.ToString()!),
                ("Admin:Listen", admin.LocalEndPoint!.ToString()!),
            ]);

        await AssertServesAsync(EndPoint);
        string pac = Encoding.ASCII.GetString((await RawHttpClient.GetOnceAsync(wpad.LocalEndPoint, "/wpad.dat")).Body);
        Assert.Contains($"PROXY {EndPoint}", pac, StringComparison.Ordinal);
        Assert.Equal("live\n", Encoding.ASCII.GetString((await RawHttpClient.GetOnceAsync(admin.LocalEndPoint, "/healthz/live")).Body));
    }

    [Fact]
    public async Task HandedOver_ToAnotherProcess_IsNotLookedAt()
    {
        IPEndPoint own = FreeEndPoint();
        await using ServeProcess proxy = await StartAsync(_listener, ("LISTEN_PID", "1"), ("Proxy:Listen:0", own.ToString()));

        await AssertServesAsync(own);
    }

    private static Socket Listen()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(4096);
        return socket;
    }

    /// <summary>A port that nobody listens on, at an address that no other test uses: it stays free until it is used.</summary>
    private static IPEndPoint FreeEndPoint()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(new IPAddress([127, 252, .. RandomNumberGenerator.GetBytes(2)]), 0));
        return (IPEndPoint)socket.LocalEndPoint!;
    }

    private static async Task AssertRefusedAsync(IPEndPoint endPoint)
    {
        SocketException refused = await Assert.ThrowsAnyAsync<SocketException>(() => RawHttpClient.ConnectAsync(endPoint));
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
    }

    /// <summary>Patient: its Stratum 1 is in this process, which other tests keep busy.</summary>
    private Task<ServeProcess> StartAsync(Socket listener, params (string, string)[] settings) => ServeProcess.StartAsync(
        _directory.Combine("store"), [_upstream], listener,
        [("Proxy:AnswerTimeout", "00:00:20"), ("Proxy:FirstByteTimeout", "00:00:20"), .. settings]);

    private async Task<string> FailsAsync((string, string)[] settings, params string[] arguments) =>
        (await Assert.ThrowsAsync<InvalidOperationException>(
        () => ServeProcess.StartWithAsync([_listener], _directory.Combine("store"), [_upstream], arguments,
        [("Proxy:Listen:0", EndPoint.ToString()), .. settings]))).Message;

    private async Task AssertServesAsync(IPEndPoint endPoint) =>
        Assert.Equal(_item.Bytes, (await RawHttpClient.GetOnceAsync(endPoint, _item.Url)).Body);
}
