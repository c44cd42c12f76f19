using System.Net;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Quotas;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.EventLoops.KestrelSide;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Hits;
using Breakwater.Proxy.Holdings;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Observability.AccessLogs;
using Breakwater.Proxy.Pipeline;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Trends;
using Breakwater.Proxy.Upstreams;
using Breakwater.Proxy.WorkingSets;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Breakwater.Proxy.Host;

/// <summary>Puts the rooms together: the one place that knows all of them.</summary>
internal static class ProxyServer
{
    /// <summary>Builds the proxy; start it with <see cref="WebApplication.StartAsync"/>.</summary>
    /// <param name="configuration">All settings; kept, so that YARP sees its reloads.</param>
    /// <param name="store">The open store; the caller disposes it after the application.</param>
    /// <param name="settings">The validated settings.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <param name="plan">Where it listens; null: where the settings say, on sockets of its own.</param>
    /// <param name="live">Whose reloads are told of in health; null: there are none.</param>
    public static WebApplication Build(IConfiguration configuration, BreakwaterSettings settings, FasterObjectStore store,
        TimeProvider? time = null, ListenPlan? plan = null, LiveSettings? live = null)
    {
        plan ??= ListenPlan.Make(settings, []);
        // RFC 9112, 2.2: a bare LF may end a line. What ends a line for one parser and not for the next is how requests are smuggled.
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", true);
        WebApplicationBuilder builder =
            WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.AddConfiguration(configuration);
        AddLogging(builder.Logging, configuration);
        ServiceManager.Add(builder.Services);
        builder.Services.Configure<HostOptions>(host =>
        {
            host.ShutdownTimeout = settings.Proxy.DrainTimeout;
            host.BackgroundServiceExceptionBehavior = BackgroundServiceExceptionBehavior.Ignore; // BackgroundHealth tells
        });
        builder.WebHost.UseKestrelCore().UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true)
            .ConfigureKestrel(kestrel => Listen(kestrel, settings.Proxy, plan));
        builder.Services.AddSingleton(plan);
        int files = store.MostOpenFiles + store.Named.MostOpenFiles;
        var budget = ConnectionBudget.For(settings, files);
        builder.Services.AddSingleton(budget);
        builder.Services.AddSingleton(ConnectionRules.For(settings.Proxy, budget));
        if (HasLoops(settings.Proxy))
        {
            builder.Services.AddEventLoops();
        }
        else if (plan.IsHandedOver)
        {
            builder.Services.AddSingleton<Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets.SocketTransportFactory>();
            builder.Services.AddSingleton<Microsoft.AspNetCore.Connections.IConnectionListenerFactory, DrainingListeners>();
        }

        if (live is not null)
        {
            builder.Services.AddSingleton<IHealthSource>(new SettingsHealth(live));
        }

        AddRooms(builder.Services, configuration, settings, store, time ?? TimeProvider.System);
        WebApplication app = builder.Build();

        // No routes are mapped to it: this loads the clusters and starts YARP's health checks.
        app.MapReverseProxy();
        app.Services.GetRequiredService<ProxyGauges>();
        app.Services.GetRequiredService<StoreGauges>();
        app.Services.GetRequiredService<NodeCounters>();
        IDisposable refusals = app.Services.GetRequiredService<ParserRefusals>()
            .Watch(app.Services.GetRequiredService<System.Diagnostics.DiagnosticListener>());
        app.Lifetime.ApplicationStopped.Register(refusals.Dispose);
        ProxyPipeline pipeline = app.Services.GetRequiredService<ProxyPipeline>();
        app.Run(pipeline.HandleAsync);
        return app;
    }

    /// <summary>
    /// One line a message, on standard error: standard output is for what was asked for. <c>Logging:Console:FormatterName</c> = <c>json</c>
    /// makes each an object.
    /// </summary>
    public static void AddLogging(ILoggingBuilder logging, IConfiguration configuration)
    {
        logging.AddConfiguration(configuration.GetSection("Logging"));
        logging.AddConsole();
        BriefFailures.Add(logging.Services);
        logging.Services.Configure<Microsoft.Extensions.Logging.Console.SimpleConsoleFormatterOptions>(console =>
            console.SingleLine = true);
        logging.Services.PostConfigure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console =>
        {
            console.LogToStandardErrorThreshold = LogLevel.Trace;

            // The journal reads levels from systemd's form.
            console.FormatterName ??= ServiceManager.IsThere
                ? Microsoft.Extensions.Logging.Console.ConsoleFormatterNames.Systemd
                : Microsoft.Extensions.Logging.Console.ConsoleFormatterNames.Simple;
        });
    }

    /// <summary>Each room registers what it has; the order is that in which their services start.</summary>
    private static void AddRooms(IServiceCollection services, IConfiguration configuration, BreakwaterSettings settings,
        FasterObjectStore store, TimeProvider time)
    {
        services.AddSingleton(time);
        services.AddSingleton(settings);
        services.AddSingleton(settings.Proxy);
        services.AddSingleton<ServerCertificates>();
        services.AddReload<ServerCertificates>((certificates, _) => certificates.ReadAgain());
        AddStore(services, store);
        services.AddAccess(settings.Access, settings.Proxy, time);
        services.AddHostedService<Reloading>();
        services.AddUpstreams(configuration, settings, time);
        PlainKeys.Use(services); // after YARP, which brings the others
        services.AddFetching(settings);
        services.AddDocuments(settings.Trust);
        services.AddWorkingSets(settings.WorkingSets);
        services.AddExchanges(settings);
        services.AddServing();
        services.AddPipeline();
        services.AddHits();
        services.AddSeeding(settings);
        services.AddHoldings();
        services.AddBoots();
        services.AddTrends();
        services.AddObservability(settings.Telemetry);
        services.AddAccessLog(settings.AccessLog);
        SquidsMonitoring.Add(services, settings.Snmp, store);
        services.AddCluster(settings.Cluster);
        services.AddAdmin(store);
    }

    private static void AddStore(IServiceCollection services, FasterObjectStore store)
    {
        services.AddSingleton(store);
        services.AddSingleton<IObjectStore>(store);
        services.AddSingleton(store.Documents);
        services.AddSingleton(store.Named);
        services.AddSingleton(store.Pins);
        services.AddSingleton(store.Shares);
        services.AddReload<StoreShares>((shares, changed) => shares.Replace(RepositoryOptions.SharesOf(changed.Repositories)));
    }

    private static void Listen(KestrelServerOptions kestrel, ProxyOptions proxy, ListenPlan plan)
    {
        kestrel.AddServerHeader = false;

        // In absolute form the target counts, whatever a client or a balancer before us has put into Host (RFC 9112, 3.2.2).
        kestrel.AllowHostHeaderOverride = true;
        ConnectionRules rules = kestrel.ApplicationServices.GetRequiredService<ConnectionRules>();
        kestrel.Limits.MaxConcurrentConnections = rules.MaxConnections;
        kestrel.Limits.MaxRequestBodySize = 0;
        kestrel.Limits.MaxRequestHeaderCount = ConnectionRules.MaxFields;
        kestrel.Limits.MaxRequestHeadersTotalSize = ConnectionRules.MaxFieldBytes;
        kestrel.Limits.MaxRequestLineSize = ConnectionRules.MaxRequestLineBytes;

        // Fields of ordinary HTTP pass byte by byte, whatever their bytes mean to the two ends.
        kestrel.RequestHeaderEncodingSelector = static _ => Encoding.Latin1;
        kestrel.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1;
        kestrel.Limits.RequestHeadersTimeout = rules.HeadTimeout;

        // The loops tell better who is stuck: by what the kernel still holds for him.
        kestrel.Limits.MinResponseDataRate = HasLoops(proxy) ? null : new(ConnectionRules.StuckBytesPerSecond, rules.ClientTimeout);

        // Kestrel's timer does not see hits of the loops, which have their own for that.
        kestrel.Limits.KeepAliveTimeout = HasLoops(proxy) ? TimeSpan.FromDays(1) : ConnectionRules.Idle;
        kestrel.Limits.MaxResponseBufferSize = 64 << 10;
        foreach (ListenPoint point in plan.Clients)
        {
            point.Open(kestrel, listen => Http1(listen, certificate: null));
        }

        ServerCertificate? certificate = kestrel.ApplicationServices.GetRequiredService<ServerCertificates>().Proxy;
        foreach (ListenPoint point in plan.TlsClients)
        {
            point.Open(kestrel, listen => Http1(listen, certificate));
        }
    }

    /// <summary>Are hits served by event loops, below Kestrel? They need epoll.</summary>
    private static bool HasLoops(ProxyOptions proxy) => proxy.RawPath && OperatingSystem.IsLinux();

    private static void Http1(ListenOptions listen, ServerCertificate? certificate)
    {
        listen.Protocols = HttpProtocols.Http1;
        ClientLimits limits = listen.ApplicationServices.GetRequiredService<ClientLimits>();
        listen.Use(HalfClosedClients.Wrap);
        listen.Use(listen.ApplicationServices.GetRequiredService<ProxyHeaderMiddleware>().Wrap);
        listen.Use(next => connection => LimitAsync(connection, next, limits));
        if (certificate is not null)
        {
            listen.ApplicationServices.GetService<TlsEndPoints>()?.Add(listen.EndPoint);
            ConnectionRules rules = listen.ApplicationServices.GetRequiredService<ConnectionRules>();
            listen.UseHttps(ServerCertificates.Shown(certificate, rules.HeadTimeout));
            listen.Use(FullRecords.Wrap);
        }

        listen.Use(listen.ApplicationServices.GetRequiredService<TunnelMiddleware>().Wrap);
        listen.Use(ParserRefusals.Wrap);
    }

    /// <summary>One connection too many of a client is closed at once.</summary>
    private static async Task LimitAsync(Microsoft.AspNetCore.Connections.ConnectionContext connection,
        Microsoft.AspNetCore.Connections.ConnectionDelegate next, ClientLimits limits)
    {
        if (connection is OrdinaryConnection)
        {
            // Counted when it was accepted.
            await next(connection);
            return;
        }

        IPAddress client = (connection.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;
        if (!limits.TryEnter(client))
        {
            connection.Abort();
            return;
        }

        try
        {
            await next(connection);
        }
        finally
        {
            limits.Leave(client);
        }
    }
}
