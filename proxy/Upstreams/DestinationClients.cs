using System.Net;
using System.Text;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// The HTTP clients for ordinary HTTP: two for origins that the settings name, without and with https, and one for hosts that clients name,
/// whose addresses are always checked. They share no connection with the Stratum 1s. A request that fails on a kept connection before its
/// answer has begun is sent once more on a new one: the origin may only have closed the kept one, or have sent too much before.
/// Thread-safe.
/// </summary>
internal sealed class DestinationClients(GuardedConnector connector, UpstreamTlsFiles tls, ProxyOptions options) : IDisposable
{
    private volatile Clients _kept = new(connector, tls, options, keeps: true);
    private volatile Clients _fresh = new(connector, tls, options, keeps: false);

    /// <summary>Asks such an origin.</summary>
    /// <param name="request">The request; its URL is changed if the origin has https.</param>
    /// <param name="isConfigured">Do the settings name the origin?</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, bool isConfigured, CancellationToken cancellationToken)
    {
        bool isTls = isConfigured && request.RequestUri!.Scheme == Uri.UriSchemeHttps;
        if (isTls)
        {
            request.RequestUri = OriginTls.Plain(request.RequestUri!);
        }

        try
        {
            return await _kept.For(isConfigured, isTls).SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException e) when (InterimQuestion.Current is { IsOnUsedConnection: true }
            && ReusedConnections.MayRepeat(request) && ReusedConnections.IsOfConnection(e))
        {
            return await _fresh.For(isConfigured, isTls).SendAsync(request, cancellationToken);
        }
    }

    /// <summary>
    /// New settings are in force: a connection that was made under the old ones serves no new request. The old clients' end by themselves
    /// when they are idle.
    /// </summary>
    public void Renew() => (_kept, _fresh) =
        (new Clients(connector, tls, options, keeps: true), new Clients(connector, tls, options, keeps: false));

    /// <inheritdoc/>
    public void Dispose()
    {
        _kept.Dispose();
        _fresh.Dispose();
    }

    /// <param name="connector">Opens and checks connections.</param>
    /// <param name="tls">Certificates.</param>
    /// <param name="options">Times.</param>
    /// <param name="keeps">Are connections kept for the next request?</param>
    private sealed class Clients(GuardedConnector connector, UpstreamTlsFiles tls, ProxyOptions options, bool keeps) : IDisposable
    {
        private readonly HttpMessageInvoker _configured = New(options, tls, connector.ConnectConfiguredAsync, keeps);
        private readonly HttpMessageInvoker _configuredTls = New(options, tls, new OriginTls(connector, tls).ConnectAsync, keeps);
        private readonly HttpMessageInvoker _named = New(options, tls, connector.ConnectForClientAsync, keeps);

        public HttpMessageInvoker For(bool isConfigured, bool isTls) => !isConfigured ? _named : isTls ? _configuredTls : _configured;

        public void Dispose()
        {
            _configured.Dispose();
            _configuredTls.Dispose();
            _named.Dispose();
        }

        private static HttpMessageInvoker New(ProxyOptions options, UpstreamTlsFiles tls,
            Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>> connect, bool keeps)
        {
            var handler = new SocketsHttpHandler
            {
                UseProxy = false,
                AllowAutoRedirect = false,
                UseCookies = false,
                AutomaticDecompression = DecompressionMethods.None,
                ConnectTimeout = GuardedConnector.LongestConnect(options),
                PooledConnectionLifetime = keeps ? TimeSpan.FromMinutes(5) : TimeSpan.Zero,
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
