using System.Net.Sockets;

namespace Breakwater.Mount;

/// <summary>HTTP to the routes of a repository, over connections that are kept. Thread-safe.</summary>
internal sealed class Downloads(Routes routes, TimeProvider time) : IDisposable
{
    /// <summary>Longest time to connect, and longest silence in an answer: the 5 s of a Micro-CernVM's client.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);

    /// <summary>More than all readers at once use; those beyond it are closed.</summary>
    private const int MaxIdle = 16;

    private readonly List<(string Host, int Port, HttpConnection Connection)> _idle = []; // guarded by itself

    /// <summary>The ways there are.</summary>
    public Routes Routes => routes;

    /// <summary>Copies one file to <paramref name="sink"/>. Null: it is there whole. Else a sentence.</summary>
    /// <param name="route">The way to take; it rests when nothing answers on it.</param>
    /// <param name="path">Path below the repository's root.</param>
    /// <param name="maxBytes">More is a failure.</param>
    /// <param name="isAgain">The last answer on this way was wrong: ask for one that no cache has kept.</param>
    /// <param name="sink">Takes the bytes as they come.</param>
    public async Task<string?> TryAsync(Route route, string path, long maxBytes, bool isAgain, Action<ReadOnlyMemory<byte>> sink)
    {
        var url = new Uri($"{route.Server}/{path}");
        string head = $"GET {(route.Proxy is null ? url.PathAndQuery : url.AbsoluteUri)} HTTP/1.1\r\nHost: {url.Authority}\r\n"
            + $"User-Agent: breakwater-mount\r\n{(isAgain ? "Cache-Control: no-cache\r\n" : "")}\r\n";
        Uri peer = route.Proxy ?? url;
        if (peer.Scheme != "http" || url.Scheme != "http")
        {
            return "only http:// is spoken: what comes is verified by its signature and hashes";
        }

        long total = 0;
        bool Take(ReadOnlyMemory<byte> bytes)
        {
            if ((total += bytes.Length) <= maxBytes)
            {
                sink(bytes);
            }

            return total > maxBytes;
        }

        using var silence = new CancellationTokenSource(Silence, time);
        try
        {
            int status = await ExchangeAsync(peer.DnsSafeHost, peer.Port, head, Take, silence);
            if (status >= 500)
            {
                routes.Failed(route);
            }

            return status != 200 ? $"status {status}" : total > maxBytes ? $"more than {maxBytes} bytes" : null;
        }
        catch (Exception e) when (e is SocketException or AnswerException or OperationCanceledException)
        {
            routes.Failed(route);
            return e is OperationCanceledException ? "nothing came for 5 s" : e.Message;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_idle)
        {
            _idle.ForEach(kept => kept.Connection.Dispose());
            _idle.Clear();
        }
    }

    private async Task<int> ExchangeAsync(
        string host, int port, string head, Func<ReadOnlyMemory<byte>, bool> sink, CancellationTokenSource silence)
    {
        while (true)
        {
            HttpConnection? kept = TakeIdle(host, port);
            HttpConnection connection = kept ?? await HttpConnection.OpenAsync(host, port, silence.Token);
            bool isKept = false;
            try
            {
                int status = await connection.ExchangeAsync(head, sink, silence);
                isKept = connection.IsReusable;
                return status;
            }
            catch (Exception e) when (e is SocketException or AnswerException && kept is { HasBegun: false })
            {
                // The peer had closed it in the meantime: the next one, at last a new one.
            }
            finally
            {
                if (isKept)
                {
                    PutIdle(host, port, connection);
                }
                else
                {
                    connection.Dispose();
                }
            }
        }
    }

    private HttpConnection? TakeIdle(string host, int port)
    {
        lock (_idle)
        {
            int i = _idle.FindLastIndex(kept => kept.Port == port && kept.Host == host);
            if (i < 0)
            {
                return null;
            }

            HttpConnection connection = _idle[i].Connection;
            _idle.RemoveAt(i);
            return connection;
        }
    }

    private void PutIdle(string host, int port, HttpConnection connection)
    {
        lock (_idle)
        {
            _idle.Add((host, port, connection));
            if (_idle.Count > MaxIdle)
            {
                _idle[0].Connection.Dispose();
                _idle.RemoveAt(0);
            }
        }
    }
}
