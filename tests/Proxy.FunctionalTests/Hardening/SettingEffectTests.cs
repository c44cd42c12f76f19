using System.Net.Sockets;
using System.Text;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>Settings that no other test changes: each is seen to do what docs/operate/settings.md says, not only to be read.</summary>
public sealed class SettingEffectTests : IAsyncDisposable
{
    private readonly ScriptedUpstream _stratum1 = ScriptedUpstream.Serving(FixtureRepository.Tiny);

    public async ValueTask DisposeAsync() => await _stratum1.DisposeAsync();

    /// <summary>Every kernel has reno, and lets everybody use it.</summary>
    [Fact]
    public async Task CongestionControl_OfTheSettings_IsThatOfClientsConnections()
    {
        await using ProxyUnderTest proxy = await StartAsync(("Proxy:CongestionControl", "reno"));
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(proxy.EndPoint).InTimeAsync();
        await client.SendAsync("GET /cvmfs/tiny.example.org/.cvmfspublished HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray()).InTimeAsync();
        Assert.True(await client.ReceiveAsync(new byte[16]).InTimeAsync() > 0);

        Assert.Equal("reno", CongestionControlOf(AcceptedFor(client)));
    }

    [Fact]
    public async Task AccessLog_BeyondItsLength_IsRotatedAndOldFilesGo()
    {
        using var directory = new TemporaryDirectory();
        string log = directory.Combine("access.log");
        await using (ProxyUnderTest proxy = await StartAsync(
            ("AccessLog:Path", log), ("AccessLog:MaxFileBytes", "65536"), ("AccessLog:KeepFiles", "1")))
        {
            string name = new('x', 900);
            await Waiting.UntilAsync(async () =>
            {
                await proxy.GetAsync($"/cvmfs/nowhere.invalid/{name}");
                return File.Exists(log + ".1");
            });
        }

        Assert.Equal(["access.log", "access.log.1"], Directory.EnumerateFiles(directory.Path).Select(Path.GetFileName).Order());
    }

    private Task<ProxyUnderTest> StartAsync(params IEnumerable<(string Name, string Value)> settings) =>
        ProxyUnderTest.StartAsync(settings.ToDictionary(setting => setting.Name, setting => (string?)setting.Value), null, _stratum1);

    private static string CongestionControlOf(Socket socket)
    {
        byte[] name = new byte[16];
        int length = socket.GetRawSocketOption(6, 13, name); // SOL_TCP, TCP_CONGESTION
        return Encoding.ASCII.GetString(name, 0, length).TrimEnd('\0');
    }

    /// <summary>The server's end, which is in this process.</summary>
    private static Socket AcceptedFor(Socket client)
    {
        foreach (string fd in Directory.EnumerateFileSystemEntries("/proc/self/fd").Select(path => Path.GetFileName(path)!))
        {
            try
            {
                var socket = new Socket(new SafeSocketHandle(int.Parse(fd, System.Globalization.CultureInfo.InvariantCulture), false));
                if (socket.RemoteEndPoint?.Equals(client.LocalEndPoint) == true)
                {
                    return socket;
                }
            }
            catch (Exception e) when (e is SocketException or ArgumentException or ObjectDisposedException)
            {
                // Not a socket, or one that is not connected.
            }
        }

        throw new InvalidOperationException("The server's end of the connection was not found.");
    }
}
