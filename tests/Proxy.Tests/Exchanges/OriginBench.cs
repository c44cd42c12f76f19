using System.Diagnostics.Metrics;
using System.Net;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Tests.Caching;
using Breakwater.Proxy.Threading;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>
/// All that asks one origin of ordinary HTTP and keeps its answers, without a proxy around it: real sockets, a real store, and a clock that
/// stands still until the test moves it. There are no nodes, and no external files.
/// </summary>
internal sealed class OriginBench : IAsyncDisposable, IHostNames
{
    /// <summary>Requests to origins at a time; a single origin has half of them.</summary>
    public const int Places = 2;

    private readonly ServiceProvider _metrics = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly ServingLoad _load;
    private readonly UpstreamPace _pace;
    private readonly GuardedConnector _connector;
    private readonly UpstreamTlsFiles _tls;
    private readonly DestinationClients _clients;

    /// <summary>Makes it.</summary>
    /// <param name="store">Where answers go.</param>
    /// <param name="busy">For what share of their time the threads that serve clients wait for a processor.</param>
    /// <param name="places">Requests to origins at a time.</param>
    public OriginBench(SliceStore store, double busy = 0, int places = Places)
    {
        Limits = new ExchangeLimits(places, places, []);
        var options = new ProxyOptions();
        _load = busy > 0 ? new BusyThreads(Time) { Share = busy } : new ServingLoad();
        Counters = new ProxyCounters(_metrics.GetRequiredService<IMeterFactory>());
        _pace = new UpstreamPace(new UpstreamOptions(), options, Time);
        _connector = new GuardedConnector(new AddressGuard(["127.0.0.0/8"], Time), this, options, TimeProvider.System);
        _tls = new UpstreamTlsFiles(new ConfigurationBuilder().Build(), Time);
        _clients = new DestinationClients(_connector, _tls, options);
        Distrust = new Distrust(Time);
        Origins = new OriginAsker(_clients, new LoopGuard(options), Counters, Limits, Distrust, Time);
        var asker = new Asker(Origins, null!);
        var nodes = new NodeAsker(new NoNodes(), Time);
        Heads = new HeadShelf(store.Named, Time);
        Intake = new BodyIntake(
            store.Named, Feeds, Counters, _pace, new GivingWay(_load, Time), Time, NullLogger<BodyIntake>.Instance);
        Parts = new MissingParts(asker, nodes, Heads, Intake, Feeds, Time);
        Starts = new BodyStarts(Parts, Feeds, Intake, Time);
        var shared = new SharedBodies(asker, Heads, store.Named, Time);
        Keeper = new AnswerKeeper(Heads, Intake, shared, Counters, Time);
        Fetch = new OriginFetch(asker, nodes, Heads, Keeper, shared, Time);
    }

    public FakeTimeProvider Time { get; } = new(Headers.Now);

    public ScriptedUpstream Origin { get; } = ScriptedUpstream.Start();

    public ProxyCounters Counters { get; }

    public ExchangeLimits Limits { get; }

    public Distrust Distrust { get; }

    public OriginAsker Origins { get; }

    public HeadShelf Heads { get; }

    public BodyFeeds Feeds { get; } = new();

    public BodyIntake Intake { get; }

    public MissingParts Parts { get; }

    public BodyStarts Starts { get; }

    public AnswerKeeper Keeper { get; }

    public OriginFetch Fetch { get; }

    /// <summary>A request to the origin. Each path is asked for by one test alone, as the store is of all.</summary>
    public Exchange Exchange(string path, string method = "GET", string fields = "") => new(
        new ExchangeTarget($"http://{Origin.EndPoint}{path}", [new Uri(Origin.Address + path[1..])], Origin.EndPoint.ToString(), true),
        method, Headers.OfText(fields), CachingRule.Default, null);

    /// <summary>Returns when all places are given back.</summary>
    public Task AtRestAsync() => Waiting.UntilAsync(() => Limits.Queue.Load == (0, 0));

    public async ValueTask DisposeAsync()
    {
        await Origin.DisposeAsync();
        Intake.Dispose();
        _clients.Dispose();
        _tls.Dispose();
        _connector.Dispose();
        _pace.Dispose();
        _load.Dispose();
        Counters.Dispose();
        await _metrics.DisposeAsync();
    }

    Task<IPAddress[]> IHostNames.ResolveAsync(string host, CancellationToken cancellationToken) =>
        Task.FromResult<IPAddress[]>([IPAddress.Loopback]);
}
