using System.Net;
using Breakwater.Proxy.Settings;
using Yarp.ReverseProxy.Forwarder;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// The HTTP client of each cluster, as YARP makes it (parent proxy, TLS, limits by its settings) with this proxy's timeouts, checks of
/// addresses and parent's password.
/// </summary>
internal sealed class BreakwaterHttpClientFactory(
    ProxyOptions options, GuardedConnector connector, ParentProxies parents, UpstreamTlsFiles tls, LoopGuard loops, ISiteNodes nodes,
    ILogger<BreakwaterHttpClientFactory> logger)
    : ForwarderHttpClientFactory(logger)
{
    protected override void ConfigureHandler(ForwarderHttpClientContext context, SocketsHttpHandler handler)
    {
        base.ConfigureHandler(context, handler);
        handler.ConnectTimeout = GuardedConnector.LongestConnect(options);
        handler.ConnectCallback = connector.ConnectConfiguredAsync;
        handler.PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30);

        // DNS of a Stratum 1 alias moves: a connection lives five minutes at most.
        handler.PooledConnectionLifetime = TimeSpan.FromMinutes(5);
        handler.MaxResponseHeadersLength = 32;
        if (context.NewConfig.DangerousAcceptAnyServerCertificate != true)
        {
            tls.Apply(context.ClusterId, handler.SslOptions);
        }

        if (context.NewConfig.MaxConnectionsPerServer is null)
        {
            handler.MaxConnectionsPerServer = options.MaxConcurrentFetches;
        }

        if (context.ClusterId == ClusterCheck.ReservedCluster)
        {
            nodes.Configure(handler);
        }

        if (context.NewConfig.WebProxy?.Address is { } url && ParentProxy.TryParse(url.OriginalString, out ParentProxy? parent, out _))
        {
            // Its URL goes into messages of exceptions: never with the password.
            bool isLocalDirect = context.NewConfig.WebProxy.BypassOnLocal ?? false;
            handler.Proxy = new ParentChoice(parents, context.ClusterId,
                new WebProxy(parent.Address, isLocalDirect) { Credentials = handler.Proxy?.Credentials });
        }
    }

    protected override HttpMessageHandler WrapHandler(ForwarderHttpClientContext context, HttpMessageHandler handler)
    {
        var apart = new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            ActivityHeadersPropagator = null
        };
        ConfigureHandler(context, apart);
        apart.MaxConnectionsPerServer = int.MaxValue;
        return base.WrapHandler(context,
            new ClusterHandler(context.ClusterId, new ReusedConnections(handler), new ReusedConnections(apart),
                apart.UseProxy ? apart.Proxy : null, parents, loops));
    }
}
