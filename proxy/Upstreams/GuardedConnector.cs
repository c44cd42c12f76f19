using System.Net;
using System.Net.Sockets;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// Makes the TCP connections to upstreams: the address that was checked is the address that is connected, so a name that resolves anew (DNS
/// rebinding) changes nothing. Thread-safe.
/// </summary>
internal sealed class GuardedConnector(AddressGuard guard, IHostNames names)
{
    /// <summary>RFC 8305, 5: the next address is tried beside one that does not answer.</summary>
    private static readonly TimeSpan s_stagger = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// Connects to a host that the settings name: an address written out, or <c>localhost</c>, counts as configured; what a name resolves to is checked.
    /// </summary>
    public ValueTask<Stream> ConnectConfiguredAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken) =>
        ConnectAsync(context.DnsEndPoint, IsLiteral(context.DnsEndPoint.Host), cancellationToken);

    /// <summary>Connects to a host that a client names: always checked.</summary>
    public ValueTask<Stream> ConnectForClientAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken) =>
        ConnectAsync(context.DnsEndPoint, isTrusted: false, cancellationToken);

    /// <summary>As the other: for a tunnel.</summary>
    /// <exception cref="IOException">It has no address that may be connected to.</exception>
    /// <exception cref="SocketException">None of its addresses accepts, or it has no name.</exception>
    public ValueTask<Stream> ConnectForClientAsync(DnsEndPoint target, CancellationToken cancellationToken) => ConnectAsync(target, isTrusted: false, cancellationToken);

    private static bool IsLiteral(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || IPAddress.TryParse(host.Trim('[', ']'), out _);

    private async ValueTask<Stream> ConnectAsync(DnsEndPoint target, bool isTrusted, CancellationToken cancellationToken)
    {
        IPAddress[] resolved = IPAddress.TryParse(target.Host.Trim('[', ']'), out IPAddress? literal)
            ? [literal]
            : await names.ResolveAsync(target.Host, cancellationToken);
        IPAddress[] addresses = isTrusted ? resolved : [.. resolved.Where(guard.Allows)];
        if (addresses.Length == 0)
        {
            throw new IOException(resolved.Length == 0
                ? $"{target.Host} has no address."
                : $"{target.Host} is {resolved[0]}, which is loopback, link-local, metadata or this machine: not connected. Allow it in Access:AllowedUpstreams if it is meant.");
        }

        return new NetworkStream(await RaceAsync(addresses, target.Port, cancellationToken), ownsSocket: true);
    }

    private static async Task<Socket> RaceAsync(IPAddress[] addresses, int port, CancellationToken cancellationToken)
    {
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        List<Task<Socket>> tries = [];
        try
        {
            int next = 0;
            Exception? failure = null;
            while (true)
            {
                if (next < addresses.Length)
                {
                    tries.Add(ConnectOneAsync(new IPEndPoint(addresses[next++], port), lost.Token));
                }
                else if (tries.Count == 0)
                {
                    throw failure ?? new SocketException((int)SocketError.HostUnreachable);
                }

                Task<Task<Socket>> any = Task.WhenAny(tries);
                if (next < addresses.Length && await Task.WhenAny(any, Task.Delay(s_stagger, lost.Token)) != any)
                {
                    continue;
                }

                Task<Socket> ended = await any;
                tries.Remove(ended);
                if (ended.IsCompletedSuccessfully)
                {
                    return ended.Result;
                }

                failure = ended.Exception?.InnerException;
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            await lost.CancelAsync();
            foreach (Task<Socket> late in tries)
            {
                _ = late.ContinueWith(
                    static t =>
                    {
                        if (t.IsCompletedSuccessfully)
                        {
                            t.Result.Dispose();
                        }

                        _ = t.Exception;
                    },
                    TaskScheduler.Default);
            }
        }
    }

    private static async Task<Socket> ConnectOneAsync(IPEndPoint endPoint, CancellationToken cancellationToken)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
