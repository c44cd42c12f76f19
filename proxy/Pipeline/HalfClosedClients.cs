using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Breakwater.Proxy.Pipeline;

/// <summary>
/// Kestrel's own sockets take a client that sends no more (<c>printf … | nc</c>, the wget of boot loaders) for one that is gone, and drop
/// the answer. Here <c>ConnectionClosed</c> fires when the connection is gone in both directions. The event loops see the difference
/// themselves.
/// </summary>
internal static class HalfClosedClients
{
    private const int Tcp = 6;
    private const int TcpInformation = 11;

    /// <summary>The client sends no more and may read (CLOSE_WAIT): the first byte of <c>struct tcp_info</c>, tcp(7).</summary>
    private const byte SendsNoMore = 8;

    /// <summary>So long a fetch may go on for a client that is gone after all.</summary>
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(500);

    /// <summary>The connection delegate around the next one.</summary>
    public static ConnectionDelegate Wrap(ConnectionDelegate next) => connection =>
        OperatingSystem.IsLinux() && connection.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket
        ? RunAsync(connection, socket, next)
        : next(connection);

    private static async Task RunAsync(ConnectionContext connection, Socket socket, ConnectionDelegate next)
    {
        using var gone = new CancellationTokenSource();
        using var over = new CancellationTokenSource();
        Task watch = WatchAsync(socket, gone, connection.ConnectionClosed, over.Token);
        connection.ConnectionClosed = gone.Token;
        try
        {
            await next(connection);
        }
        finally
        {
            connection.ConnectionClosed = CancellationToken.None;
            await over.CancelAsync();
            await watch;
        }
    }

    private static async Task WatchAsync(Socket socket, CancellationTokenSource gone, CancellationToken ended, CancellationToken over)
    {
        try
        {
            using (var first = CancellationTokenSource.CreateLinkedTokenSource(ended, over))
            {
                await Task.Delay(Timeout.Infinite, first.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            while (SendsNoMoreOnly(socket))
            {
                await Task.Delay(s_interval, over);
            }

            if (!over.IsCancellationRequested)
            {
                await gone.CancelAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // Its last request is answered.
        }
    }

    private static bool SendsNoMoreOnly(Socket socket)
    {
        try
        {
            Span<byte> state = stackalloc byte[1];
            return socket.GetRawSocketOption(Tcp, TcpInformation, state) > 0 && state[0] == SendsNoMore;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }
}
