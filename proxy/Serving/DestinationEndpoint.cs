using System.Text;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;

namespace Breakwater.Proxy.Serving;

/// <summary>
/// Hosts besides CernVM-FS that <c>Access:Destinations</c> allows: passed through, never stored, so <c>Authorization</c> may pass. A
/// redirect goes to the client, whose next request is checked again.
/// </summary>
internal sealed class DestinationEndpoint : IDisposable
{
    private readonly IHttpForwarder _forwarder;
    private readonly ResponseHeads _heads;
    private readonly GuardedConnector _connector;
    private readonly LoopGuard _loops;
    private readonly ProxyOptions _options;
    private readonly ForwarderRequestConfig _config;
    private volatile Clients _clients;

    public DestinationEndpoint(IHttpForwarder forwarder, GuardedConnector connector, ResponseHeads heads, LoopGuard loops,
        ProxyOptions options)
    {
        _loops = loops;
        _forwarder = forwarder;
        _heads = heads;
        _connector = connector;
        _options = options;
        _config = new ForwarderRequestConfig
        {
            ActivityTimeout = options.FetchPatience,
            Version = new Version(1, 1),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact
        };
        _clients = NewClients();
    }

    /// <summary>
    /// New settings are in force: a connection that was made under the old ones serves no new request. The old client's end by themselves
    /// when they are idle.
    /// </summary>
    public void Renew() => _clients = NewClients();

    /// <summary>Forwards one request.</summary>
    public async Task ServeAsync(HttpContext context, ExchangeTarget target, RequestOutcome outcome)
    {
        Uri upstream = target.Upstreams[0];
        outcome.Result = RequestResult.PassedThrough;
        outcome.Upstream = upstream.Host;
        // else the forwarder would open a tunnel for a client that asks to: those are Access:Connect's
        context.Features.Set<IHttpUpgradeFeature>(null);
        _heads.WriteCommon(context.Response, outcome);
        HttpMessageInvoker client = target.IsConfigured ? _clients.Configured : _clients.ForClients;
        ForwarderError error = await _forwarder.SendAsync(
            context, upstream.GetLeftPart(UriPartial.Authority), client, _config, new Transformer(target, _loops));
        if (error != ForwarderError.None && !context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            outcome.Result = RequestResult.Failed;
            string why = context.Features.Get<IForwarderErrorFeature>()?.Exception?.Message ?? error.ToString();
            context.Response.Clear();
            await _heads.WriteFailureAsync(
                context, new UpstreamFailure(FailureKind.Connect, $"{upstream.Host} could not be asked: {why}"), outcome);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _clients.Configured.Dispose();
        _clients.ForClients.Dispose();
    }

    private Clients NewClients() => new(NewClient(_connector.ConnectConfiguredAsync), NewClient(_connector.ConnectForClientAsync));

    private HttpMessageInvoker NewClient(Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>> connect) =>
        new(new ReusedConnections(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = System.Net.DecompressionMethods.None,
            ConnectTimeout = GuardedConnector.LongestConnect(_options),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            MaxResponseHeadersLength = 32,
            ConnectCallback = connect,

            // A stranger has no use for our traces, and fields pass byte by byte.
            ActivityHeadersPropagator = null,
            RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
            ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        }));

    /// <param name="Configured">For hosts that the settings name.</param>
    /// <param name="ForClients">For hosts that clients name.</param>
    private sealed record Clients(HttpMessageInvoker Configured, HttpMessageInvoker ForClients);

    private sealed class Transformer(ExchangeTarget target, LoopGuard loops) : HttpTransformer
    {
        public override async ValueTask TransformRequestAsync(HttpContext httpContext, HttpRequestMessage proxyRequest,
            string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            proxyRequest.RequestUri = target.Upstreams[0];
            proxyRequest.Headers.Host = target.HostField;
            proxyRequest.Headers.Remove("Proxy-Authorization");
            proxyRequest.Headers.Remove("Proxy-Connection");
            proxyRequest.Headers.Remove("Upgrade");
            loops.Sign(proxyRequest);
        }
    }
}
