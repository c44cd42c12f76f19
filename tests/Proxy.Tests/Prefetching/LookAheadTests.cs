using System.Diagnostics.CodeAnalysis;
using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Prefetching;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Tests.Exchanges;
using Breakwater.Proxy.Tests.Fetching;
using Breakwater.Proxy.Tests.TestSupport;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Prefetching;

/// <summary>How many trails are run along at a time.</summary>
public sealed class LookAheadTests(SliceStore store) : IClassFixture<SliceStore>
{
    private const int MostRuns = 16;

    private readonly SyntheticObject[] _before = [.. Enumerable.Range(2100, 3).Select(seed => new SyntheticObject(1000, seed))];
    private int _repositories;
    private int _begun;

    /// <summary>As many begin as may, and one that is refused, or is over, leaves its place to the next.</summary>
    [Fact]
    public async Task Missed_BesideAsManyRunsAsMayBe_BeginsNoneUntilTheyAreOver()
    {
        await using var bench = new FetchBench(store.Store);
        using var pace = new PrefetchPace(bench.Services.Counters, bench.Time);
        using var prefetcher = new Prefetcher(new WatchedStore(() => Interlocked.Increment(ref _begun)),
            new ObjectReader(bench.Store, bench.Fetches), new WorkingSetOptions { MaxConcurrentPrefetches = 1 }, pace);
        var trails = new SavedTrails(new HeldDocuments(), new WorkingSetOptions(), bench.Time, new LogLines<SavedTrails>());
        var log = new LogLines<LookAhead>();
        using var ahead = new LookAhead(prefetcher, trails, new WorkingSetOptions(), bench.Time, log);
        for (int round = 1; round <= 2; round++)
        {
            var item = new SyntheticObject(1000, 2200 + round);
            var gate = new Gate();
            bench.Stratum1s[0].Everything = UpstreamBehaviour.WaitsBeforeHead(gate);
            await Waiting.UntilAsync(() =>
            {
                Miss(item);
                return Volatile.Read(ref _begun) >= round * MostRuns;
            });
            Miss(item); // one too many
            gate.Open();
            await Waiting.UntilAsync(() => log.Said.Count >= round * MostRuns);

            // A client asks for what comes before the item on the trail of a repository that nobody has asked for yet.
            void Miss(SyntheticObject next)
            {
                var fqrn = Fqrn.Parse($"r{_repositories++}.example.org");
                bench.Stratum1s[0].Put($"/cvmfs/{fqrn}/{next.Key.ToPath()}", next.Bytes);
                trails.Trails.Restore(fqrn, [.. _before.Select(one => one.Key), next.Key]);
                foreach (SyntheticObject one in _before)
                {
                    ahead.Missed(new RepositoryRoute(fqrn, "test"), one.Key);
                }
            }
        }

        await bench.AtRestAsync();
        Assert.Equal((2 * MostRuns, 2 * MostRuns), (_begun, log.Said.Count));
        Assert.All(log.Said, line => Assert.Contains("1 objects: 1 fetched, 0 not to be had", line, StringComparison.Ordinal));
    }

    /// <summary>A store that has nothing, and tells when it is asked.</summary>
    private sealed class WatchedStore(Action asked) : IObjectStore
    {
        public long MaxObjectBytes => throw new NotSupportedException();

        public CancellationToken Refusing => throw new NotSupportedException();

        public bool Contains(in ObjectKey key)
        {
            asked();
            return false;
        }

        public bool TryOpen(in ObjectKey key, [NotNullWhen(true)] out ObjectLease? lease) => throw new NotSupportedException();

        public bool TryReopen(in ObjectKey key, [NotNullWhen(true)] ref ObjectLease? lease) => throw new NotSupportedException();

        public ObjectWriter BeginWrite(in ObjectKey key, long? expectedLength, ushort mark = 0) => throw new NotSupportedException();

        public bool Remove(in ObjectKey key) => throw new NotSupportedException();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
