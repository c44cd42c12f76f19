using System.Diagnostics.Metrics;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Threading;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.Http;

/// <summary>Bodies on their way into the store while those who serve clients wait for processors.</summary>
public sealed class BodyIntakeTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ServiceProvider _metrics = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private FasterObjectStore _store = null!;

    public async Task InitializeAsync() =>
        _store = await FasterObjectStore.OpenAsync(new StoreOptions { Path = _directory.Combine("store") });

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        await _metrics.DisposeAsync();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(true, 8, true)]
    [InlineData(true, 1, false)]   // as short as most of what is asked for
    [InlineData(false, 8, false)] // CernVM-FS's own
    public async Task Body_WhileProcessorsAreShort_GivesWay(bool givesWay, int mebibytes, bool isHeldBack)
    {
        using ServingLoad load = new ShortOfProcessors(_time);
        using var counters = new ProxyCounters(_metrics.GetRequiredService<IMeterFactory>());
        using var pace = new UpstreamPace(new UpstreamOptions(), new ProxyOptions(), _time);
        var way = new GivingWay(load, _time);
        using var intake = new BodyIntake(
            _store.Named, new BodyFeeds(), counters, pace, way, _time, NullLogger<BodyIntake>.Instance);
        byte[] bytes = new byte[mebibytes << 20];
        using var message = new HttpResponseMessage { Content = new ByteArrayContent(bytes) };
        var answer = new FetchedAnswer(message, new MemoryStream(bytes), Timeout.InfiniteTimeSpan)
        {
            Fields = new HeaderFields(),
            RequestedAt = default,
            ReceivedAt = default,
            Upstream = "origin.test",
            GivesWay = givesWay,
        };

        // What is looked at a moment apart tells that processors are short.
        await way.PayAsync(0, CancellationToken.None);
        _time.Advance(GivingWay.Look);
        await way.PayAsync(0, CancellationToken.None);
        BodyFeed feed = intake.Start(answer, "an identity"u8.ToArray(), 0, bytes.Length, isStrong: false, whenWhole: null);
        long began = _time.GetTimestamp();
        await Waiting.UntilAsync(() =>
        {
            if (isHeldBack)
            {
                _time.Advance(TimeSpan.FromMilliseconds(20));
            }

            return feed.Completion.Task.IsCompleted;
        });

        Assert.True(await feed.Completion.Task);
        double least = isHeldBack ? (bytes.Length - (2 << 20)) / (double)GivingWay.BytesPerSecond : 0;
        Assert.True(_time.GetElapsedTime(began).TotalSeconds >= least);
    }

    /// <summary>One thread that waits for a processor half of its time.</summary>
    private sealed class ShortOfProcessors(TimeProvider time) : ServingLoad
    {
        private readonly long _since = time.GetTimestamp();

        public override int Threads => 1;

        public override TimeSpan Waited => time.GetElapsedTime(_since) / 2;
    }
}
