using System.Net;
using System.Net.Sockets;

namespace Breakwater.Perf.Tests;

/// <summary>A man in the middle: relays TCP, and flips one bit of one byte of what the server says on the first connection.</summary>
internal sealed class FlippingRelay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly IPEndPoint _server;
    private long _flipAt;

    /// <summary>
    /// Relays to the server; the byte at <paramref name="flipAt"/> of its first connection's answer stream is changed, once.
    /// </summary>
    public FlippingRelay(IPEndPoint server, long flipAt)
    {
        (_server, _flipAt) = (server, flipAt);
        _listener.Start();
        _ = AcceptAsync();
    }

    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndpoint;

    public bool HasFlipped { get; private set; }

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket client = await _listener.AcceptSocketAsync(_stop.Token);
                var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await server.ConnectAsync(_server, _stop.Token);
                _ = PumpAsync(client, server, mayFlip: false);
                _ = PumpAsync(server, client, mayFlip: true);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool mayFlip)
    {
        byte[] buffer = new byte[64 * 1024];
        long passed = 0;
        try
        {
            for (int read; (read = await from.ReceiveAsync(buffer, _stop.Token)) > 0; passed += read)
            {
                long flipAt = Volatile.Read(ref _flipAt);
                if (mayFlip && flipAt >= passed && flipAt < passed + read && Interlocked.Exchange(ref _flipAt, -1) == flipAt)
                {
                    buffer[flipAt - passed] ^= 1;
                    HasFlipped = true;
                }

                await to.SendAsync(buffer.AsMemory(0, read), _stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // One side has left; so does the other, below.
        }

        from.Dispose();
        to.Dispose();
    }
}
