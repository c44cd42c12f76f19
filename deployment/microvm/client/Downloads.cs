using System.Net;

namespace Breakwater.Mount;

/// <summary>HTTP to the routes of a repository. Thread-safe.</summary>
internal sealed class Downloads(Routes routes, TimeProvider time) : IDisposable
{
    /// <summary>Longest time to connect, and longest silence in an answer: the 5 s of a Micro-CernVM's client.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, HttpClient> _clients = []; // by proxy; guarded by itself

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
        using var silence = new CancellationTokenSource(Silence, time);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{route.Server}/{path}");
        request.Headers.TryAddWithoutValidation("User-Agent", "breakwater-mount");
        if (isAgain)
        {
            request.Headers.TryAddWithoutValidation("Cache-Control", "no-cache");
        }

        try
        {
            using HttpResponseMessage answer =
                await Client(route.Proxy).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, silence.Token);
            if (answer.StatusCode != HttpStatusCode.OK)
            {
                if ((int)answer.StatusCode >= 500)
                {
                    routes.Failed(route);
                }

                return $"status {(int)answer.StatusCode}";
            }

            await using Stream body = await answer.Content.ReadAsStreamAsync(silence.Token);
            byte[] buffer = new byte[64 << 10];
            long total = 0;
            for (int n; (n = await body.ReadAsync(buffer, silence.Token)) > 0;)
            {
                silence.CancelAfter(Silence);
                if ((total += n) > maxBytes)
                {
                    return $"more than {maxBytes} bytes";
                }

                sink(buffer.AsMemory(0, n));
            }

            return null;
        }
        catch (Exception e) when (e is HttpRequestException or HttpIOException or OperationCanceledException)
        {
            routes.Failed(route);
            return e is OperationCanceledException ? "nothing came for 5 s" : e.Message;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (HttpClient client in _clients.Values)
        {
            client.Dispose();
        }
    }

    private HttpClient Client(Uri? proxy)
    {
        lock (_clients)
        {
            string key = proxy?.ToString() ?? "";
            if (!_clients.TryGetValue(key, out HttpClient? client))
            {
                var handler = new SocketsHttpHandler
                {
                    Proxy = proxy is null ? null : new WebProxy(proxy),
                    UseProxy = proxy is not null,
                    ConnectTimeout = Silence,
                    AllowAutoRedirect = false,
                    UseCookies = false,
                    AutomaticDecompression = DecompressionMethods.None,
                };
                _clients[key] = client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
            }

            return client;
        }
    }
}
