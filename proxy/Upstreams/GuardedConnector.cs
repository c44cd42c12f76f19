using System.Net;
using System.Net.Sockets;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// Makes the TCP connections to upstreams: the address that was checked is the address that is connected, whether it was remembered or
/// looked up just now, so a name that resolves anew (DNS rebinding) changes nothing. Looking up does not count as connecting. Thread-safe.
/// </summary>
internal sealed class GuardedConnector(AddressGuard guard, IHostNames names, ProxyOptions options, TimeProvider time) : IDisposable
{
    /// <summary>
    /// Look-ups at a time: of names in the settings, and of names that clients choose, which must not take the others' threads.
    /// </summary>
    private const int MaxLookups = 32;
    private const int MaxClientLookups = 8;


    /// <summary>RFC 8305, 5: the next address is tried beside one that does not answer.</summary>
    private static readonly TimeSpan s_stagger = TimeSpan.FromMilliseconds(250);

    /// <summary>Apart, so that names which clients make up push out none of the settings'.</summary>
    private readonly RememberedHostNames _configured = new(names, MaxLookups, options, time);
    private readonly RememberedHostNames _clients = new(names, MaxClientLookups, options, time);

    /// <summary>
    /// The longest that a connection may take: for SocketsHttpHandler, whose limit would count the look-up; TLS has the second half.
    /// </summary>
    public static TimeSpan LongestConnect(ProxyOptions options) => options.LookupTimeout + (2 * options.ConnectTimeout);

    /// <summary>
    /// Connects to a host that the settings name: an address written out, or <c>localhost</c>, counts as configured; what a name resolves
    /// to is checked.
    /// </summary>
    public ValueTask<Stream> ConnectConfiguredAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        ReusedConnections.NoteOpened(context.InitialRequestMessage);
        return ConnectAsync(context.DnsEndPoint, IsLiteral(context.DnsEndPoint.Host), _configured, cancellationToken);
    }

    /// <summary>Connects to a host that a client names: always checked.</summary>
    public ValueTask<Stream> ConnectForClientAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        ReusedConnections.NoteOpened(context.InitialRequestMessage);
        return ConnectAsync(context.DnsEndPoint, isTrusted: false, _clients, cancellationToken);
    }

    /// <summary>As the other: for a tunnel.</summary>
    /// <exception cref="IOException">It has no address that may be connected to.</exception>
    /// <exception cref="LookupFailedException">Its name has no address.</exception>
    /// <exception cref="SocketException">None of its addresses accepts.</exception>
    /// <exception cref="TimeoutException">None of its addresses accepted within <see cref="ProxyOptions.ConnectTimeout"/>.</exception>
    public ValueTask<Stream> ConnectForClientAsync(DnsEndPoint target, CancellationToken cancellationToken) =>
        ConnectAsync(target, isTrusted: false, _clients, cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        _configured.Dispose();
        _clients.Dispose();
    }

    private static bool IsLiteral(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || IPAddress.TryParse(host.Trim('[', ']'), out _);

    private async ValueTask<Stream> ConnectAsync(DnsEndPoint target, bool isTrusted, RememberedHostNames remembered,
        CancellationToken cancellationToken)
    {
        IPAddress[] resolved = IPAddress.TryParse(target.Host.Trim('[', ']'), out IPAddress? literal)
            ? [literal]
            : await remembered.ResolveAsync(target.Host, cancellationToken);
        IPAddress[] addresses = isTrusted ? resolved : [.. resolved.Where(guard.Allows)];
        if (addresses.Length == 0)
        {
            remembered.Doubt(target.Host);
            throw new ProhibitedAddressException(target.Host, resolved[0]);
        }

        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(options.ConnectTimeout);
        try
        {
            return new NetworkStream(await RaceAsync(addresses, target.Port, timeout.Token), ownsSocket: true);
        }
        catch (SocketException)
        {
            remembered.Doubt(target.Host);
            throw;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            remembered.Doubt(target.Host);
            throw new TimeoutException(
                $"{target.Host}:{target.Port} did not accept a connection within {options.ConnectTimeout.TotalSeconds:0.#} s "
                + $"(Proxy:ConnectTimeout)");
        }
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
