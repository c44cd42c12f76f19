using Breakwater.Proxy.Settings;
using Yarp.ReverseProxy.Forwarder;

namespace Breakwater.Proxy.Upstreams;

/// <summary>The HTTP client of each cluster, as YARP makes it (parent proxy, TLS, limits by its settings) with this proxy's connect timeout.</summary>
internal sealed class BreakwaterHttpClientFactory(ProxyOptions options, GuardedConnector connector, ILogger<BreakwaterHttpClientFactory> logger) : ForwarderHttpClientFactory(logger)
{
    protected override void ConfigureHandler(ForwarderHttpClientContext context, SocketsHttpHandler handler)
    {
        base.ConfigureHandler(context, handler);
        handler.ConnectTimeout = options.ConnectTimeout;
        handler.ConnectCallback = connector.ConnectConfiguredAsync;
        handler.PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30);

        // DNS of a Stratum 1 alias moves: a connection lives five minutes at most.
        handler.PooledConnectionLifetime = TimeSpan.FromMinutes(5);
        handler.MaxResponseHeadersLength = 32;
        if (context.NewConfig.MaxConnectionsPerServer is null)
        {
            handler.MaxConnectionsPerServer = options.MaxConcurrentFetches;
        }
    }
}
