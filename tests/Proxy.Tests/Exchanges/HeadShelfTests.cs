using Breakwater.CacheStore.Heads;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Tests.Caching;
using Breakwater.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>Stored heads by URI, and their age when the wall clock is set.</summary>
public sealed class HeadShelfTests : IClassFixture<SliceStore>
{
    private readonly string _uri = $"http://{Guid.NewGuid()}.example.org/";
    private readonly FakeTimeProvider _monotonic = new(Headers.Now);
    private readonly SteppedTime _time;
    private readonly SliceStore _store;
    private readonly HeadShelf _heads;

    public HeadShelfTests(SliceStore store)
    {
        _store = store;
        _time = new SteppedTime(_monotonic);
        _heads = new HeadShelf(store.Named, _time);
    }

    [Fact]
    public void Put_SeveralAnswersOfOneUri_StandBesideEachOtherUntilTheyAreReplaced()
    {
        Assert.True(_heads.CanKeep);
        Assert.Null(_heads.Find(_uri));
        _heads.Put(_uri, Head("a", 1));
        _heads.Put(_uri, Head("b", 2));
        Assert.Equal(["b", "a"], Tags());

        _heads.Put(_uri, Head("c", 3), renewed: Head("a", 1));
        Assert.Equal(["c", "b"], Tags());
        _heads.Put(_uri, Head("d", 2));
        Assert.Equal(["d", "c"], Tags());

        _heads.Remove(_uri, Head("c", 3));
        Assert.Equal(["d"], Tags());
        _heads.Remove(_uri, Head("d", 2));
        Assert.Null(_heads.Find(_uri));
        Assert.False(_heads.TryMark(_uri, out _));
    }

    [Fact]
    public void Remove_OfAUri_ForgetsAll()
    {
        _heads.Put(_uri, Head("a", 1));
        _heads.Put(_uri, Head("b", 2));

        _heads.Remove(_uri);

        Assert.Null(_heads.Find(_uri));
    }

    [Fact]
    public void Mark_OfAState_IsCurrentUntilTheHeadChanges()
    {
        Assert.False(_heads.TryMark(_uri, out _));
        _heads.Put(_uri, Head("a", 1));
        Assert.True(_heads.TryMark(_uri, out HeadMark mark));
        Assert.True(_heads.IsCurrent(mark));

        _heads.Put(_uri, Head("a", 1));

        Assert.False(_heads.IsCurrent(mark));
        Assert.True(_heads.TryMark(_uri, out mark));
        _heads.Remove(_uri);
        Assert.False(_heads.IsCurrent(mark));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(60, 0)]
    [InlineData(-1, 0)]
    [InlineData(-1.1, 100)]
    [InlineData(-100, 100)]
    [InlineData(-100000, 100)]
    public void Age_OfWhatThisProcessStored_IsNoLessThanWhatHasPassed(double step, double hereFor)
    {
        _heads.Put(_uri, Head("a", 1));
        _monotonic.Advance(TimeSpan.FromSeconds(100));
        _time.Ahead = TimeSpan.FromSeconds(step);

        Assert.Equal(hereFor, _heads.Find(_uri)!.Newest!.HereFor.TotalSeconds);
    }

    [Theory]
    [InlineData(-1, true)]
    [InlineData(0, false)]
    [InlineData(-100, true)]
    [InlineData(100, false)]
    public void Age_OfWhatAnotherProcessStored_IsForEverWhereItSaysOfTheFuture(double step, bool isOld)
    {
        _heads.Put(_uri, Head("a", 1));
        _time.Ahead = TimeSpan.FromSeconds(step);

        StoredHead head = new HeadShelf(_store.Named, _time).Find(_uri)!.Newest!;

        Assert.Equal(isOld ? (double)CacheDirectives.MaxSeconds : 0, head.HereFor.TotalSeconds);
    }

    [Fact]
    public void Arrived_OfAnAnswerThatCameAWhileAgo_CountsFromThen()
    {
        StoredHead head = _heads.Arrived(Head("a", 1) with { ReceivedAt = Headers.Now.AddSeconds(-10), Arrival = new Arrival(1, 2) });
        Assert.Equal(head.Arrival, _heads.Arrived(head).Arrival);
        _monotonic.Advance(TimeSpan.FromSeconds(5));
        _time.Ahead = TimeSpan.FromHours(-1);

        Assert.Equal(15, _heads.WithAge(head).HereFor.TotalSeconds);
    }

    /// <summary>Two clocks are not read at one moment: a difference of a second is none.</summary>
    [Theory]
    [InlineData(-1, 0)]
    [InlineData(-1.001, 5)]
    public void Age_WithAWallClockThatWasSetBack_IsByTheOtherClockBeyondASecond(double step, double seconds)
    {
        StoredHead head = _heads.Arrived(Head("a", 1) with { ReceivedAt = Headers.Now });
        _monotonic.Advance(TimeSpan.FromSeconds(5));
        _time.Ahead = TimeSpan.FromSeconds(step);

        Assert.Equal(seconds, _heads.WithAge(head).HereFor.TotalSeconds);
    }

    private IEnumerable<string> Tags() => _heads.Find(_uri)!.Variants.Select(head => head.Fields.First("ETag")!);

    private static StoredHead Head(string tag, byte number) =>
        Headers.Stored($"ETag: {tag}|Vary: a", request: $"a: {number}") with { BodyId = [number] };
}
