using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Pipeline;
using Breakwater.Proxy.Settings;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using OpenTelemetry.Metrics;
using HttpProtocols = Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols;

namespace Breakwater.Proxy.Admin;

/// <summary>
/// The admin port: a server of its own beside the proxy, so that a storm of clients and an operator's look at it do not share limits. It
/// opens before the proxy does and closes after it: a start and a drain can be watched.
/// </summary>
internal sealed partial class AdminServer(BreakwaterSettings settings, Health health, IEnumerable<IAdminRoom> rooms, ListenPlan plan,
    ILoggerFactory logs, MeterProvider? meters = null, TimeProvider? time = null, ServerCertificates? certificates = null)
    : IHostedService, IAsyncDisposable
{
    /// <summary>Bodies of ordinary actions are small; bundles come by <see cref="AdminApi.Upload"/>.</summary>
    private const long MaxBodyBytes = 1 << 20;

    /// <summary>
    /// A page, a scraper, a probe and some commands; each costs a descriptor, of which the proxy's clients leave a few hundred.
    /// </summary>
    private const int MaxConnections = 200;

    private readonly ILogger _log = logs.CreateLogger<AdminServer>();
    private readonly AdminConnections _connections = new(MaxConnections);
    private WebApplication? _app;

    /// <summary>How results and bodies are written.</summary>
    public static JsonSerializerOptions Json { get; } = MakeJson(new JsonSerializerOptions(JsonSerializerDefaults.Web));

    /// <summary>Base address with the port in use; null while it is not open.</summary>
    public Uri? Address { get; private set; }

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (plan.AdminPort is not { } port)
        {
            return;
        }

        WebApplicationBuilder builder =
            WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Services.AddSingleton(logs);
        builder.Services.AddRouting();
        builder.Services.Configure<RouteHandlerOptions>(handlers => handlers.ThrowOnBadRequest = true); // its message says what is wrong
        builder.Services.ConfigureHttpJsonOptions(json => MakeJson(json.SerializerOptions));

        // A page that listens to events would hold a shutdown up.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBodyBytes;
            port.Open(kestrel, listen =>
            {
                listen.Use(HalfClosedClients.Wrap);
                listen.Use(_connections.Wrap);
                if (certificates?.Admin is { } certificate)
                {
                    listen.Protocols = HttpProtocols.Http1;
                    listen.UseHttps(ServerCertificates.Shown(certificate, settings.Proxy.RequestHeadTimeout));
                }

                listen.Use(CacheObjectTarget.Wrap);
            });
        });
        _app = builder.Build();
        var token = AdminToken.LoadOrCreate(settings.Admin.TokenFile!);
        var sessions = new AdminSessions(token, time ?? TimeProvider.System);
        var guard = new AdminGuard(settings.Admin, token);
        _app.Use((context, next) => AdminFallback.RunAsync(context, next, _log));
        _app.UseRouting();
        _app.Use((context, next) => GuardAsync(guard, sessions, context, next));
        _app.Use(NoteAsync);
        MapHealth(_app, health);
        if (meters is not null)
        {
            _app.UseOpenTelemetryPrometheusScrapingEndpoint(meters, null, "/metrics", null, null);
        }

        AdminPage.Map(_app);
        var api = new AdminApi(_app.MapGroup("/api/v1"), _app);
        foreach (IAdminRoom room in rooms.Append(new SessionRoom(sessions)))
        {
            room.Map(api);
        }

        var document = new Lazy<JsonObject>(() => ApiDocument.Of(api.Operations));
        api.Read("openapi.json", "This document.", () => document.Value, typeof(object));

        await _app.StartAsync(cancellationToken);
        Address = new Uri(_app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>()
            .Addresses.First());
        AdminAddressFile.Write(settings.Admin, Address);
        LogOpen(_log, Address);
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => _app?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Interlocked.Exchange(ref _app, null)?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>Live: the process answers. Ready: it may have clients; 503 when not, and always what is not as it should be.</summary>
    private static void MapHealth(WebApplication app, Health health)
    {
        app.MapGet("/healthz/live", () => Results.Text("live\n"));
        app.MapGet("/healthz/ready", () =>
        {
            HealthReport report = health.Check();
            return Results.Json(report, statusCode: report.Status == HealthLevel.Unready
                ? StatusCodes.Status503ServiceUnavailable
                : StatusCodes.Status200OK);
        });
    }

    private async Task NoteAsync(HttpContext context, RequestDelegate next)
    {
        _connections.Note(context, isActing: !HttpMethods.IsGet(context.Request.Method));
        try
        {
            await next(context);
        }
        catch (IOException e) when (e is not (BadHttpRequestException or ConnectionResetException) && !context.Response.HasStarted)
        {
            // The store's disk, in all but bugs: its sentence is what the operator needs.
            await new AdminProblem(e.Message).Result(StatusCodes.Status507InsufficientStorage).ExecuteAsync(context);
        }
        finally
        {
            _connections.Note(context, isActing: false);
        }
    }

    private static Task GuardAsync(AdminGuard guard, AdminSessions sessions, HttpContext context, RequestDelegate next)
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy =
            "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; "
            + "form-action 'none'";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-store";
        HttpRequest request = context.Request;
        AdminSession? session = sessions.Find(request.Cookies[AdminSessions.Cookie]);
        context.Items[typeof(AdminSession)] = session;
        AdminVerdict verdict = guard.Decide(request.Method, request.Path, request.Host.Host, context.Connection.RemoteIpAddress,
            request.Headers.Authorization, session, request.Headers[AdminSessions.CsrfHeader]);
        switch (verdict)
        {
            case AdminVerdict.WrongHost:
                return new AdminProblem(
                    $"The name '{request.Host.Host}' is not one of this admin port.", "Ask by address, or add the name to Admin:Hosts.")
                    .Result(StatusCodes.Status421MisdirectedRequest).ExecuteAsync(context);
            case AdminVerdict.TokenNeeded when request.Path == "/":
                context.Response.Redirect("/login.html");
                return Task.CompletedTask;
            case AdminVerdict.CsrfNeeded:
                return new AdminProblem($"A change in a session needs its {AdminSessions.CsrfHeader} header.",
                    "GET /api/v1/session tells it; the page sends it by itself.")
                    .Result(StatusCodes.Status403Forbidden).ExecuteAsync(context);
            case AdminVerdict.TokenNeeded:
                headers.WWWAuthenticate = "Bearer realm=\"breakwater\"";
                return new AdminProblem(
                    "This needs the admin token, or for reading an address in Admin:Readers.",
                    $"Send Authorization: Bearer with the content of the token file ({AdminToken.WhereItIs}).")
                    .Result(StatusCodes.Status401Unauthorized).ExecuteAsync(context);
        }

        if (context.GetEndpoint()?.Metadata.GetMetadata<AdminApi.AnyBodyLength>() is not null
            && context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } body)
        {
            body.MaxRequestBodySize = null;
        }

        return next(context);
    }

    private static JsonSerializerOptions MakeJson(JsonSerializerOptions json)
    {
        json.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase));
        json.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        return json;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Admin page on {Address}")]
    private static partial void LogOpen(ILogger log, Uri address);
}
