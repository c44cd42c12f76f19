using System.Net;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Host;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Breakwater.Proxy.Tests.Host;

public sealed class DrainingListenersTests
{
    [Fact]
    public async Task Drain_ThatBegins_EndsTheAccepting()
    {
        using var drain = new Drain();
        var sockets = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);
        var listeners = new DrainingListeners(sockets, drain);
        await using IConnectionListener listener = await listeners.BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
        Task<ConnectionContext?> accepting = listener.AcceptAsync(default).AsTask().InTimeAsync();
        Assert.False(accepting.IsCompleted);

        drain.Begin();

        Assert.Null(await accepting);
    }
}
