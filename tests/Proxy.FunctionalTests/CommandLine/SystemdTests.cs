using System.Net.Sockets;
using System.Text;
using Breakwater.Proxy.FunctionalTests.Faults;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.CommandLine;

/// <summary>
/// What <c>Type=notify</c> of deployment/systemd/breakwater.service waits for. The parent is not systemd here, nor can the service see it
/// there (ProtectProc=invisible): once nothing was told then, and the unit would not have started.
/// </summary>
public sealed class SystemdTests
{
    [Fact]
    public async Task Serve_TellsSystemdWhenItListensAndWhenItEnds()
    {
        using var directory = new TemporaryDirectory();
        using var systemd = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        systemd.Bind(new UnixDomainSocketEndPoint(directory.Combine("notify")));
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(1000).On(upstream);
        await using ServeProcess serve =
            await ServeProcess.StartAsync(directory.Combine("store"), [upstream], null, ("NOTIFY_SOCKET", directory.Combine("notify")));

        Assert.Equal("READY=1", await ReceiveAsync(systemd));
        Assert.Equal(item.Bytes, (await RawHttpClient.GetOnceAsync(serve.EndPoint, item.Url, [])).Body);

        Assert.Equal(0, await serve.TerminateAsync());
        Assert.Equal("STOPPING=1", await ReceiveAsync(systemd));
    }

    private static async Task<string> ReceiveAsync(Socket systemd)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));
        byte[] buffer = new byte[256];
        int length = await systemd.ReceiveAsync(buffer, SocketFlags.None, patience.Token);
        return Encoding.UTF8.GetString(buffer, 0, length).Trim();
    }
}
