using System.Net;
using System.Text;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// The HTTP clients for ordinary HTTP: one for origins that the settings name, one for hosts that clients name, whose addresses are always
/// checked. They share no
/// connection with the Stratum 1s. Thread-safe.
/// </summary>
internal sealed class DestinationClients(GuardedConnector connector, UpstreamTlsFiles tls, ProxyOptions options) : IDisposable
{
    private volatile Pair _pair = new(connector, tls, options);

    /// <summary>The client for such an origin.</summary>
    public HttpMessageInvoker Of(bool isConfigured) => isConfigured ? _pair.Configured : _pair.Named;

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

        public HttpMessageInvoker Named { get; } = New(options, tls, connector.ConnectForClientAsync);

        public void Dispose()
        {
            Configured.Dispose();
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
            tls.Apply(null, handler.SslOptions);
            return new HttpMessageInvoker(handler);
        }
    }
}
