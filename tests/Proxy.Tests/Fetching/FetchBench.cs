using System.Diagnostics.Metrics;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Tests.TestSupport;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Tests.Fetching;

/// <summary>
/// All that fetches work with, without a proxy around it: a store, Stratum 1s on real sockets in the order s1, s2, and a clock that stands
/// still until the test moves it.
/// </summary>
internal sealed class FetchBench : IAsyncDisposable, IDestinationHealthUpdater, IVerifiedListener
{
    private const string Cluster = "test";

    private readonly ServiceProvider _metrics = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler());
    private readonly UpstreamPace _pace;
    private readonly ProxyCounters _counters;

    /// <summary>Makes it.</summary>
    /// <param name="store">Where objects go.</param>
    /// <param name="stratum1s">How many Stratum 1s there are.</param>
    /// <param name="places">Fetches at a time.</param>
    /// <param name="nodes">The site's nodes; null: there are none.</param>
    /// <param name="unstored">Memory for what the store does not take, bytes.</param>
    public FetchBench(IObjectStore store, int stratum1s = 1, int places = 8, ISiteNodes? nodes = null, long unstored = 64 << 20)
    {
        Store = store;
        Meters = _metrics.GetRequiredService<IMeterFactory>();
        Stratum1s = [.. Enumerable.Range(0, stratum1s).Select(_ => ScriptedUpstream.Start())];
        DestinationState[] destinations = [.. Stratum1s.Select((upstream, i) => Destination($"s{i + 1}", upstream))];
        var cluster = new ClusterState(Cluster, new ClusterModel(new ClusterConfig { ClusterId = Cluster }, _client))
        {
            DestinationsState = new ClusterDestinationsState(destinations, destinations),
        };
        nodes ??= new NoNodes();
        _counters = new ProxyCounters(Meters);
        _pace = new UpstreamPace(new UpstreamOptions(), Options, Time);
        var directory = new Stratum1Directory(new OneCluster(cluster), this, new Stratum1Outcomes(), nodes);
        Overflow = new OverflowBudget(unstored);
        Queue = new FetchQueue(places, places);
        Services = new FetchServices(
            new UpstreamClient(directory, Options, _counters, Time, nodes), Queue, new NodeLine(nodes),
            new FetchBodies(store, Overflow, _pace, Time, this), Options, _counters, Time);
        NotFound = new NotFoundMemory(Time);
        Fetches = new FetchCoordinator(Services, store, NullLogger<InFlightFetch>.Instance);
    }

    public CountedTime Time { get; } = new();

    public ProxyOptions Options { get; } = new();

    public IMeterFactory Meters { get; }

    public IObjectStore Store { get; }

    public IReadOnlyList<ScriptedUpstream> Stratum1s { get; }

    public OverflowBudget Overflow { get; }

    public FetchQueue Queue { get; }

    public FetchServices Services { get; }

    public FetchCoordinator Fetches { get; }

    public NotFoundMemory NotFound { get; }

    /// <summary>Objects that were found right.</summary>
    public List<ObjectKey> Verified { get; } = [];

    /// <summary>A destination of YARP for a server.</summary>
    public static DestinationState Destination(string id, ScriptedUpstream server) =>
        new(id, new DestinationModel(new DestinationConfig { Address = server.Address }));

    /// <summary>A client's order of an object.</summary>
    /// <param name="item">The object.</param>
    /// <param name="fqrn">The repository under which it is asked for; null: its own.</param>
    public static FetchOrder OrderOf(SyntheticObject item, string? fqrn = null) => FetchOrder.Of(
        item.Key, new RepositoryRoute(Fqrn.Parse(fqrn ?? "synthetic.example.org"), Cluster), item.Key.ToPath(), null, null);

    /// <summary>A fetch that nobody runs: the test is its Stratum 1.</summary>
    public InFlightFetch NewFetch(FetchOrder order) =>
        new(order, Services, NotFound, _ => true, Fetches.JoinOrStart, NullLogger<InFlightFetch>.Instance);

    /// <summary>All that a follower gets.</summary>
    public static async Task<byte[]> ReadAllAsync(FetchFollower follower)
    {
        using var all = new MemoryStream();
        byte[] buffer = new byte[64 << 10];
        while (await follower.WaitAsync(all.Length, default).InTimeAsync() is var state && state == FollowState.Readable)
        {
            int read = await follower.ReadAsync(all.Length, buffer, default).InTimeAsync();
            all.Write(buffer, 0, read);
        }

        Assert.Equal(FollowState.Ended, await follower.WaitAsync(all.Length, default).InTimeAsync());
        return all.ToArray();
    }

    /// <summary>Returns when all places are given back: what has come is yet to be durable.</summary>
    public Task AtRestAsync() => Waiting.UntilAsync(() => Queue.Load == (0, 0));

    public async ValueTask DisposeAsync()
    {
        foreach (ScriptedUpstream upstream in Stratum1s)
        {
            await upstream.DisposeAsync();
        }

        Fetches.Dispose();
        NotFound.Dispose();
        _pace.Dispose();
        _counters.Dispose();
        _client.Dispose();
        await _metrics.DisposeAsync();
    }

    /// <summary>A clock that counts how often it is looked at.</summary>
    internal sealed class CountedTime() : FakeTimeProvider(new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero))
    {
        private long _looks;

        public long Looks => Interlocked.Read(ref _looks);

        public override long GetTimestamp()
        {
            Interlocked.Increment(ref _looks);
            return base.GetTimestamp();
        }
    }

    void IVerifiedListener.OnVerified(FetchOrder order) => Verified.Add(order.Key);

    void IDestinationHealthUpdater.SetPassive(
        ClusterState cluster, DestinationState destination, DestinationHealth newHealth, TimeSpan reactivationPeriod) =>
        destination.Health.Passive = newHealth;

    void IDestinationHealthUpdater.SetActive(ClusterState cluster, IEnumerable<NewActiveDestinationHealth> newHealthStates)
    {
    }
}
