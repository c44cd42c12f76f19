using Breakwater.Proxy.Access;
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
    private readonly DestinationAccess _destinations;
    private readonly IHttpForwarder _forwarder;
    private readonly ResponseHeads _heads;
    private readonly GuardedConnector _connector;
    private readonly LoopGuard _loops;
    private readonly ProxyOptions _options;
    private readonly ForwarderRequestConfig _config;
    private volatile HttpMessageInvoker _client;

    public DestinationEndpoint(
        DestinationAccess destinations, IHttpForwarder forwarder, GuardedConnector connector, ResponseHeads heads, LoopGuard loops,
        ProxyOptions options)
    {
        _destinations = destinations;
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
        _client = NewClient();
    }

    /// <summary>
    /// New settings are in force: a connection that was made under the old ones serves no new request. The old client's end by themselves
    /// when they are idle.
    /// </summary>
    public void Renew() => _client = NewClient();

    /// <summary>Starts the answer when the target is on a host that is allowed; null when it is not.</summary>
    /// <param name="context">A GET or HEAD of an allowed client.</param>
    /// <param name="rawTarget">Request target as it came.</param>
    /// <param name="outcome">Says how it ended.</param>
    public Task? TryServe(HttpContext context, string rawTarget, RequestOutcome outcome)
    {
        return !_destinations.IsEmpty
            && DestinationTarget.TryParse(rawTarget, out DestinationTarget target)
            && _destinations.Allows(target.Host, target.Port)
            && !new Uri(target.Url).AbsolutePath.TrimStart('/').StartsWith("cvmfs/", StringComparison.Ordinal)
            ? ServeAsync(context, target, outcome)
            : null;
    }

    private async Task ServeAsync(HttpContext context, DestinationTarget target, RequestOutcome outcome)
    {
        outcome.Result = RequestResult.PassedThrough;
        outcome.Upstream = target.Host;
        // else the forwarder would open a tunnel for a client that asks to: those are Access:Connect's
        context.Features.Set<IHttpUpgradeFeature>(null);
        _heads.WriteCommon(context.Response, outcome);
        ForwarderError error =
            await _forwarder.SendAsync(context, "http://" + new Uri(target.Url).Authority, _client, _config,
            new Transformer(target.Url, _loops));
        if (error != ForwarderError.None && !context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            outcome.Result = RequestResult.Failed;
            string why = context.Features.Get<IForwarderErrorFeature>()?.Exception?.Message ?? error.ToString();
            context.Response.Clear();
            await _heads.WriteFailureAsync(context, new UpstreamFailure(FailureKind.Connect, $"{target.Host} could not be asked: {why}"),
                outcome);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private HttpMessageInvoker NewClient() => new(new ReusedConnections(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = System.Net.DecompressionMethods.None,
        ConnectTimeout = GuardedConnector.LongestConnect(_options),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        MaxResponseHeadersLength = 32,
        ConnectCallback = _connector.ConnectForClientAsync,
    }));

    private sealed class Transformer(string url, LoopGuard loops) : HttpTransformer
    {
        public override async ValueTask TransformRequestAsync(HttpContext httpContext, HttpRequestMessage proxyRequest,
            string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            proxyRequest.RequestUri = new Uri(url);
            proxyRequest.Headers.Host = null;
            proxyRequest.Headers.Remove("Proxy-Authorization");
            proxyRequest.Headers.Remove("Proxy-Connection");
            proxyRequest.Headers.Remove("Upgrade");
            loops.Sign(proxyRequest);
        }
    }
}
