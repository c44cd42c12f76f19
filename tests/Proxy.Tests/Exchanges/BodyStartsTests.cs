using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Tests.Caching;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>What is waited for before an answer's head goes out: a body under way that comes near in time, or a part of its own.</summary>
public sealed class BodyStartsTests(SliceStore store) : IClassFixture<SliceStore>
{
    private const long Slice = BodySlice.SizeBytes;
    private const long Far = 20 * Slice;
    private static readonly TimeSpan s_glance = TimeSpan.FromMilliseconds(20);
    private readonly string _path = $"/{Guid.NewGuid():N}";
    private readonly byte[] _id = Guid.NewGuid().ToByteArray();

    [Fact]
    public async Task Find_OfABodyThatIsNotHere_AsksForNothingIfItMayNot()
    {
        await using var bench = new OriginBench(store);

        Assert.Equal((false, null), await FindAsync(bench, "", null, mayAsk: false));
        Assert.Equal((false, null), await FindAsync(bench, "", null)); // from its beginning: as what was never here
        Assert.Equal((true, null), await FindAsync(bench, "If-None-Match: \"a\"", null, mayAsk: false)); // has no body
        Assert.Empty(bench.Origin.Requests);
    }

    [Fact]
    public async Task Find_OfABodyOnItsWay_IsThatFeed()
    {
        await using var bench = new OriginBench(store);
        BodyFeed feed = Feed(bench);

        Assert.Equal((true, feed), await FindAsync(bench, "", null));
        Assert.Equal((true, feed), await FindAsync(bench, "", feed));
        Assert.Equal((true, feed), await FindAsync(bench, $"Range: bytes={BodyFeeds.NearBytes - 1}-", null));
        Assert.Empty(bench.Origin.Requests);
    }

    /// <summary>By half a second it is known how fast a body comes: one that stands still is not waited for.</summary>
    [Fact]
    public async Task Find_OfAPartThatIsFarBehindWhatComes_AsksForItAsSoonAsItIsKnownThatItWillNotComeInTime()
    {
        await using var bench = new OriginBench(store);
        bench.Origin.Put(_path, new byte[Far + (2 * Slice)]);
        bench.Origin.Script(_path, new UpstreamBehaviour { ExtraHeaders = ["ETag: \"a\""] });
        BodyFeed feed = Feed(bench);
        Task<(bool HasStart, BodyFeed? Feed)> find = FindAsync(bench, $"Range: bytes={Far}-{Far}", feed);
        for (int glance = 0; glance < 24; glance++)
        {
            bench.Time.Advance(s_glance);
        }

        Assert.False(find.IsCompleted);
        Assert.Empty(bench.Origin.Requests);
        bench.Time.Advance(s_glance);

        (bool hasStart, BodyFeed? found) = await find.InTimeAsync();
        Assert.True(hasStart);
        Assert.NotSame(feed, found);
        Assert.Equal(Far, found!.First);
        Assert.Equal($"bytes={Far}-{Far + Slice - 1}", Assert.Single(bench.Origin.Requests).Header("Range"));
        Assert.True(await found.Completion.Task.InTimeAsync());
    }

    /// <summary>One that comes near in time is waited for, and nothing is asked for beside it.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Find_OfAPartThatComesSoon_WaitsForIt(bool isKnown)
    {
        await using var bench = new OriginBench(store);
        BodyFeed feed = Feed(bench);
        Task<(bool HasStart, BodyFeed? Feed)> find = FindAsync(bench, $"Range: bytes={Far}-{Far}", isKnown ? feed : null);
        for (int second = 0; second < 3 && !find.IsCompleted; second++)
        {
            await AdvanceAsync(feed, 5 * Slice);
            bench.Time.Advance(TimeSpan.FromSeconds(0.9));
        }

        Assert.Equal((true, feed), await find.InTimeAsync());
        Assert.Empty(bench.Origin.Requests);
    }

    private static async Task AdvanceAsync(BodyFeed feed, long count)
    {
        for (long left = count; left > 0;)
        {
            int room = (int)Math.Min(left, (await feed.RoomAsync(CancellationToken.None)).Length);
            feed.Advance(room);
            left -= room;
        }
    }

    private BodyFeed Feed(OriginBench bench)
    {
        var feed = new BodyFeed(_id, 0, Far + (2 * Slice), store.Named.Slices, bench.Time);
        bench.Feeds.Add(feed);
        return feed;
    }

    private Task<(bool HasStart, BodyFeed? Feed)> FindAsync(OriginBench bench, string fields, BodyFeed? feed, bool mayAsk = true)
    {
        StoredHead head = Headers.Stored("ETag: \"a\"|Cache-Control: max-age=60", length: Far + (2 * Slice)) with { BodyId = _id };
        return bench.Starts.FindAsync(bench.Exchange(_path, fields: fields), head, feed, mayAsk, default).InTimeAsync();
    }
}
