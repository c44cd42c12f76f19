using System.Net;
using System.Text;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// The HTTP clients for ordinary HTTP: two for origins that the settings name, without and with https, and one for hosts that clients name,
/// whose addresses are always checked. They share no connection with the Stratum 1s. Thread-safe.
/// </summary>
internal sealed class DestinationClients(GuardedConnector connector, UpstreamTlsFiles tls, ProxyOptions options) : IDisposable
{
    private volatile Pair _pair = new(connector, tls, options);

    /// <summary>Asks such an origin.</summary>
    /// <param name="request">The request; of an origin with https its URL is another afterwards.</param>
    /// <param name="isConfigured">Do the settings name the origin?</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, bool isConfigured, CancellationToken cancellationToken)
    {
        Pair pair = _pair;
        if (!isConfigured)
        {
            return pair.Named.SendAsync(request, cancellationToken);
        }

        if (request.RequestUri!.Scheme != Uri.UriSchemeHttps)
        {
            return pair.Configured.SendAsync(request, cancellationToken);
        }

        request.RequestUri = OriginTls.Plain(request.RequestUri);
        return pair.ConfiguredTls.SendAsync(request, cancellationToken);
    }

    /// <summary>
    /// New settings are in force: a connection that was made under the old ones serves no new request. The old clients' end by themselves
    /// when they are idle.
    /// </summary>
    public void Renew() => _pair = new Pair(connector, tls, options);

    /// <inheritdoc/>
    public void Dispose() => _pair.Dispose();

    private sealed class Pair(GuardedConnector connector, UpstreamTlsFiles tls, ProxyOptions options) : IDisposable
    {
        public HttpMessageInvoker Configured { get; } = New(options, tls, connector.ConnectConfiguredAsync);

        public HttpMessageInvoker ConfiguredTls { get; } = New(options, tls, new OriginTls(connector, tls).ConnectAsync);

        public HttpMessageInvoker Named { get; } = New(options, tls, connector.ConnectForClientAsync);

        public void Dispose()
        {
            Configured.Dispose();
            ConfiguredTls.Dispose();
            Named.Dispose();
        }

        private static HttpMessageInvoker New(ProxyOptions options, UpstreamTlsFiles tls,
            Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>> connect)
        {
            var handler = new SocketsHttpHandler
            {
                UseProxy = false,
                AllowAutoRedirect = false,
                UseCookies = false,
                AutomaticDecompression = DecompressionMethods.None,
                ConnectTimeout = GuardedConnector.LongestConnect(options),
                PooledConnectionLifetime = TimeSpan.FromMinutes(5),
                MaxResponseHeadersLength = 64,
                ConnectCallback = connect,
                PlaintextStreamFilter = static (context, _) => ValueTask.FromResult<Stream>(new InterimStream(context.PlaintextStream)),

                // No trace of ours goes to strangers.
                ActivityHeadersPropagator = null,

                // Bytes of fields pass as they are.
                RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
                ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
            };
            tls.Apply(null, handler.SslOptions); // for hosts that clients name; configured ones have it in OriginTls
            return new HttpMessageInvoker(handler);
        }
    }
}
