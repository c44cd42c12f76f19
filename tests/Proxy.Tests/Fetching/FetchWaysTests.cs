using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Tests.Exchanges;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Fetching;

/// <summary>Whom a fetch may ask, and until when somebody else can be added. There is no Stratum 1.</summary>
public sealed class FetchWaysTests(SliceStore store) : IClassFixture<SliceStore>, IAsyncLifetime
{
    private readonly SyntheticObject _item = new(1000, 1300);
    private FetchBench _bench = null!;
    private FetchWays _ways = null!;
    private int _failed;

    public Task InitializeAsync()
    {
        _bench = new FetchBench(store.Store, stratum1s: 0);
        _ways = new FetchWays(Order(), _bench.Services, _bench.NotFound, () => _failed++);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    /// <summary>A way that is added when nobody is left to ask would never be asked.</summary>
    [Fact]
    public async Task Open_WhenNobodyIsLeftToAsk_IsTheEndOfTheWays()
    {
        FetchWay? other = _ways.Join(Order("other.example.org"));
        Assert.NotNull(other);
        Assert.Same(other, _ways.Join(Order("other.example.org")));

        Assert.Null(await _ways.OpenAsync(0, default).InTimeAsync());

        Assert.Equal(2, _failed);
        Assert.NotNull(other.Failure);
        Assert.Null(_ways.Join(Order("late.example.org")));
        Assert.True(_ways.TryEnd());
    }

    [Fact]
    public async Task HasPrompt_WhileSomebodyHasYetToBeAsked_Is()
    {
        Assert.Equal((true, true), (_ways.HasPrompt, _ways.MayHurry));
        FetchWay other = _ways.Join(Order("other.example.org"))!;
        _ways.Left(other); // nobody waits for it any more
        await _ways.OpenAsync(0, default).InTimeAsync();

        Assert.Equal((false, 1), (_ways.HasPrompt, _failed));
    }

    /// <summary>Only one who has waited as long as one waits for a first byte, and cannot be served by those who are asked.</summary>
    [Theory]
    [InlineData("test", false)]
    [InlineData("another", true)]
    public void IsAnotherClusterDue_WhoHasWaitedLongEnough_IsOfAnotherCluster(string cluster, bool isDue)
    {
        FetchOrder order = Order("other.example.org");
        _ways.Join(order with { Repository = new RepositoryRoute(order.Repository.Fqrn, cluster) });
        var current = new FetchWay(Order());
        _ways.Begin();
        _bench.Time.Advance(_bench.Options.FirstByteTimeout - TimeSpan.FromTicks(1));
        Assert.False(_ways.IsAnotherClusterDue(current));
        _bench.Time.Advance(TimeSpan.FromTicks(1));

        Assert.Equal(isDue, _ways.IsAnotherClusterDue(current));
    }

    private FetchOrder Order(string? fqrn = null) => FetchBench.OrderOf(_item, fqrn);
}
