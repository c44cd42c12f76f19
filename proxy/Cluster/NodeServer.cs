using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Settings;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Breakwater.Proxy.Cluster;

/// <summary>
/// The node port: a server of its own, by mutual TLS alone, never for clients. It only answers questions; nobody can push anything. It
/// opens after the proxy's rooms, beside its clients' port, and closes after that, so that a draining node still gives what it holds.
/// </summary>
internal sealed partial class NodeServer(ClusterOptions options, NodeEndpoint endpoint, NodeCertificates certificates,
    NodeRefusals refusals, YarpNodes nodes, FasterObjectStore store,
    TimeProvider time, ILoggerFactory logs) : IHostedLifecycleService, IAsyncDisposable
{
    /// <summary>Each of a hundred nodes may hold some; what is beyond is refused before TLS.</summary>
    private const int MaxConnections = 4096;

    /// <summary>A node that hangs does not hold up another one's start for longer.</summary>
    private static readonly TimeSpan s_firstRound = TimeSpan.FromSeconds(2);

    /// <summary>First byte of a TLS record with a handshake (RFC 8446, 5.1).</summary>
    private const byte Handshaking = 22;

    private static readonly TimeSpan s_firstByte = TimeSpan.FromSeconds(5);

    private static readonly object s_peer = new();

    private readonly ILogger _log = logs.CreateLogger<NodeServer>();
    private readonly ClientAccess? _allowed = options.AllowedNodes.Length == 0 ? null : new ClientAccess(options.AllowedNodes);
    private WebApplication? _app;
    private Task _opening = Task.CompletedTask;

    /// <summary>Where it listens; null while it does not.</summary>
    public IPEndPoint? EndPoint { get; private set; }

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        store.IsElsewhere = key => nodes.Before(key).Count > 0;
        nodes.NoteStarting();
        _opening = Task.Run(() => OpenAsync(cancellationToken), cancellationToken);

        // Clients come after this. What they ask for before it is known who owns what would be fetched once more.
        await FirstRoundAsync(cancellationToken);
    }

    /// <summary>
    /// Clients of a node that restarts wait in its socket: they come while this port opens. Without it there is no start.
    /// </summary>
    public Task StartedAsync(CancellationToken cancellationToken) => _opening;

    /// <inheritdoc/>
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _opening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await (_app?.StopAsync(cancellationToken) ?? Task.CompletedTask);
    }

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _opening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await (Interlocked.Exchange(ref _app, null)?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        WebApplicationBuilder builder =
            WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Services.AddSingleton(logs);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration()
            .UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true)   // a question is answered in one go
            .ConfigureKestrel(Configure);
        _app = builder.Build();
        _app.Run(context => endpoint.HandleAsync(context, PeerOf(context)));
        await _app.StartAsync(cancellationToken);
        string address = _app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>()
            .Addresses.First();
        EndPoint = new IPEndPoint(options.ListenEndPoint().Address, new Uri(address).Port);
        LogOpen(_log, EndPoint, options.Id);
        await FirstRoundAsync(cancellationToken);
        nodes.NoteStarted();
    }

    private async Task FirstRoundAsync(CancellationToken cancellationToken) =>
        await nodes.FirstRound.WaitAsync(s_firstRound, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = 0;
        kestrel.Limits.MaxConcurrentConnections = MaxConnections;
        kestrel.Limits.MaxRequestHeaderCount = 32;
        kestrel.Limits.MaxRequestHeadersTotalSize = 64 << 10;    // a client's request of ordinary HTTP is one of them
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(5);
        new ListenPoint(options.ListenEndPoint(), []).Open(kestrel, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(next => connection => GuardAsync(connection, next));
            listen.Use(HeldFlushes.Wrap);
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = context => ValueTask.FromResult(OptionsFor(context.Connection)),
                HandshakeTimeout = TimeSpan.FromSeconds(5),
            });
            listen.Use(FullRecords.Wrap);
            listen.Use(next => connection => NameAsync(connection, next));
        });
    }

    /// <summary>The peer's names, by its certificate.</summary>
    private static IReadOnlyList<string> PeerOf(HttpContext context) =>
        context.Features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(s_peer, out object? names) == true
            ? (IReadOnlyList<string>)names! : [];

    /// <summary>Before TLS: may this address connect? After it: did TLS come about?</summary>
    private async Task GuardAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        IPAddress from = (connection.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;
        if (_allowed?.Allows(from) == false)
        {
            refusals.Note("address", from.ToString(), "its address is none of Cluster:AllowedNodes");
            connection.Abort();
            return;
        }

        if (await FirstByteAsync(connection) is not { } first)
        {
            return;
        }

        if (first != Handshaking)
        {
            refusals.Note("tls", from.ToString(), "it does not speak TLS");
            connection.Abort();
            return;
        }

        var handshake = new Handshake();
        connection.Features.Set(handshake);
        try
        {
            await next(connection);
        }
        finally
        {
            if (handshake.Problem is not null)
            {
                refusals.Note("certificate", from.ToString(), $"its certificate: {handshake.Problem}");
            }
            else if (!handshake.IsDone)
            {
                // Whoever waited too long for a busy node leaves so, too: counted, and no finding.
                refusals.Count("unfinished");
            }
        }
    }

    /// <summary>What a connection begins with, which stays to be read; null: it ended, or nothing came.</summary>
    private async ValueTask<byte?> FirstByteAsync(ConnectionContext connection)
    {
        using var late = new CancellationTokenSource(s_firstByte, time);
        try
        {
            System.IO.Pipelines.ReadResult read = await connection.Transport.Input.ReadAsync(late.Token);
            byte? first = read.Buffer.IsEmpty ? null : read.Buffer.FirstSpan[0];
            connection.Transport.Input.AdvanceTo(read.Buffer.Start);
            return first;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            connection.Abort();
            return null;
        }
    }

    private static async Task NameAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        if (connection.Features.Get<Handshake>() is { } handshake)
        {
            handshake.IsDone = true;
        }

        if (connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate is { } certificate)
        {
            connection.Items[s_peer] = ClusterCheck.NamesOf(certificate);
        }

        await next(connection);
    }

    private SslServerAuthenticationOptions OptionsFor(ConnectionContext connection) => new()
    {
        ServerCertificateContext = certificates.OwnForServer,
        ClientCertificateRequired = true,
        RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
        {
            string? problem = certificates.ProblemOf(certificate, chain);
            if (problem is not null && connection.Features.Get<Handshake>() is { } handshake)
            {
                handshake.Problem = problem;
            }

            return problem is null;
        },
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "Node port on {EndPoint}, for the other nodes of the site; this one is '{Id}'")]
    private static partial void LogOpen(ILogger log, IPEndPoint endPoint, string id);

    /// <summary>How TLS went; a connection's own flow only.</summary>
    private sealed class Handshake
    {
        public bool IsDone { get; set; }

        public string? Problem { get; set; }
    }
}
