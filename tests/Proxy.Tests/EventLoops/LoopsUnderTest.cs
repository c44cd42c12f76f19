using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.EventLoops.KestrelSide;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Threading;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Connections;

namespace Breakwater.Proxy.Tests.EventLoops;

/// <summary>
/// Event loops that listen on loopback. Who sees their requests first does as it is told (<see cref="ScriptedResponder"/>); Kestrel is the
/// test, which accepts what the loops lend.
/// </summary>
internal sealed class LoopsUnderTest : IAsyncDisposable
{
    private readonly ServingLoad _load = new();

    /// <summary>Begins to accept.</summary>
    /// <param name="headTimeout">A head must be whole by then; null: never.</param>
    /// <param name="clientTimeout">A client that takes nothing for so long is stuck; null: never.</param>
    /// <param name="maxConnections">So many clients at a time.</param>
    /// <param name="naming">Networks whose connections begin with a header of the PROXY protocol; null: none.</param>
    public LoopsUnderTest(
        TimeSpan? headTimeout = null, TimeSpan? clientTimeout = null, int maxConnections = 100, string[]? naming = null)
    {
        Group = new LoopGroup(
            Responder, new Balancers(naming ?? [], []), new ClientLimits(0, 0, TimeProvider.System),
            new ConnectionRules(maxConnections, headTimeout ?? Waiting.Hang, clientTimeout ?? Waiting.Hang, ""), _load, TimeProvider.System,
            Log);
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, Blocking = false };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(100);
        Listener = new BorrowedListener(Group, socket, isKestrels: false);
        Listener.Start();
    }

    public ScriptedResponder Responder { get; } = new();

    public LogLines<LoopGroup> Log { get; } = new();

    public LoopGroup Group { get; }

    public BorrowedListener Listener { get; }

    /// <summary>The bytes of a plain request.</summary>
    public static string Get(string target) => $"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n";

    /// <summary>An answer without a body that says what was asked for.</summary>
    public static string Answer(string target) => $"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Target: {target}\r\n\r\n";

    /// <summary>What Kestrel is given of a connection; empty: no more comes.</summary>
    public static async Task<string> ReadAsync(ConnectionContext lent)
    {
        ReadResult read = await lent.Transport.Input.ReadAsync().InTimeAsync(what: "bytes for Kestrel");
        string text = Encoding.ASCII.GetString(read.Buffer);
        lent.Transport.Input.AdvanceTo(read.Buffer.End);
        return text;
    }

    /// <summary>Kestrel answers.</summary>
    public static async Task WriteAsync(ConnectionContext lent, string text) =>
        Assert.False((await lent.Transport.Output.WriteAsync(Encoding.ASCII.GetBytes(text)).InTimeAsync()).IsCompleted);

    /// <summary>A client.</summary>
    public Task<RawHttpClient> ConnectAsync() => RawHttpClient.ConnectAsync(Listener.EndPoint);

    /// <summary>The next connection that the loops lend for the first time.</summary>
    public async Task<ConnectionContext> LentAsync()
    {
        ConnectionContext? lent = await Listener.AcceptAsync().InTimeAsync(what: "a connection for Kestrel");
        return lent ?? throw new InvalidOperationException("The listener has ended.");
    }

    /// <summary>Has the loops look at their timers until this has come.</summary>
    public async Task<T> SweepUntilAsync<T>(Task<T> comes)
    {
        await Waiting.UntilAsync(() =>
        {
            Group.SweepAll();
            return comes.IsCompleted;
        });
        return await comes;
    }

    /// <summary>Returns when so many clients are connected.</summary>
    public Task ConnectedAsync(int clients) => Waiting.UntilAsync(() => Group.Connections == clients);

    public async ValueTask DisposeAsync()
    {
        await Listener.DisposeAsync().AsTask().InTimeAsync(what: "the listener's end");
        Group.Dispose();
        _load.Dispose();
    }
}
