using System.IO.Pipelines;
using Breakwater.Proxy.Exchanges;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>Bodies on their way from an origin into the store: where they end.</summary>
public sealed class BodyIntakeTests(SliceStore store) : IClassFixture<SliceStore>
{
    private const int Slice = BodySlice.SizeBytes;
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(30);
    private readonly byte[] _id = Guid.NewGuid().ToByteArray();
    private readonly byte[] _bytes = new SyntheticObject((3 * Slice) + 5).Bytes;

    /// <summary>It ends where another has brought what follows, but not where it begins itself.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Take_OfABodyOfWhichASliceIsStored_EndsThereIfPartsMayComeFromElsewhere(bool isStrong)
    {
        await using var bench = new OriginBench(store);
        foreach (int stored in (int[])[0, 2 * Slice])
        {
            BodyFeed part = bench.Intake.Start(
                Answer(stored, stored + Slice), _id, stored, stored + Slice, isStrong: false, whenWhole: null);
            Assert.True(await part.Completion.Task.InTimeAsync());
        }

        List<long> whole = [];
        BodyFeed feed = bench.Intake.Start(Answer(0, _bytes.Length), _id, 0, _bytes.Length, isStrong, whole.Add);

        Assert.True(await feed.Completion.Task.InTimeAsync());
        Assert.Equal(isStrong ? 2 * Slice : _bytes.Length, feed.End);
        Assert.Equal(isStrong ? [] : new long[] { _bytes.Length }, whole);
        Assert.True(BodySlice.IsStored(store.Named.Slices, _id, Slice));
        Assert.Equal((!isStrong, isStrong ? 4L * Slice : (2L * Slice) + _bytes.Length),
            (BodySlice.IsStored(store.Named.Slices, _id, 3 * Slice), bench.Counters.UpstreamBytesTotal));
    }

    /// <summary>What ends before its end is no whole.</summary>
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Take_OfABodyThatEndsEarly_IsBrokenIfItsEndWasKnown(bool isEndKnown, bool isWhole)
    {
        await using var bench = new OriginBench(store);
        string? broken = "not told";
        List<long> whole = [];
        FetchedAnswer answer = Answers.Of(body: new MemoryStream(_bytes, 0, Slice + 3), ended: how => broken = how);
        BodyFeed feed = bench.Intake.Start(answer, _id, 0, isEndKnown ? _bytes.Length : null, isStrong: true, whole.Add);

        Assert.Equal(isWhole, await feed.Completion.Task.InTimeAsync());
        Assert.Equal(isWhole ? new long[] { Slice + 3 } : [], whole);
        await Waiting.UntilAsync(() => broken != "not told");
        Assert.Equal(isWhole, broken is null);
        Assert.True(BodySlice.IsStored(store.Named.Slices, _id, 0));
        await Waiting.UntilAsync(() => bench.Feeds.Find(_id, 0, nearBytes: long.MaxValue) is null);
    }

    /// <summary>
    /// A long body that nobody wants is given up, but only where a slice is whole: what has come is kept. While somebody wants it, or may
    /// yet begin to, it comes on.
    /// </summary>
    [Theory]
    [InlineData(false, false, true)]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    public async Task Take_OfALongBody_IsGivenUpAtTheNextSliceWhenNobodyWantsIt(bool isWanted, bool isYoung, bool isGivenUp)
    {
        await using var bench = new OriginBench(store);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        const long Long = 100L << 20;
        BodyFeed feed = bench.Intake.Start(
            Answers.Of(length: Long, body: pipe.Reader.AsStream()), _id, 0, Long, isStrong: true, whenWhole: null);
        using BodyInterest? interest = isWanted ? bench.Feeds.Want(_id) : null;
        await pipe.Writer.WriteAsync(_bytes.AsMemory(0, Slice / 2));
        await Waiting.UntilAsync(() => feed.Position == Slice / 2);
        bench.Time.Advance(isYoung ? s_grace : s_grace + TimeSpan.FromTicks(1));
        await pipe.Writer.WriteAsync(_bytes.AsMemory(Slice / 2, 10));
        await Waiting.UntilAsync(() => feed.Position == (Slice / 2) + 10);
        Assert.False(feed.Completion.Task.IsCompleted);
        await pipe.Writer.WriteAsync(_bytes.AsMemory((Slice / 2) + 10, (Slice / 2) + 10));
        await Waiting.UntilAsync(() => isGivenUp ? feed.Completion.Task.IsCompleted : feed.Position == Slice + 20);

        Assert.Equal((isGivenUp, isGivenUp ? Slice : Slice + 20L), (feed.IsBroken, feed.Position));
        if (isGivenUp)
        {
            Assert.True(BodySlice.IsStored(store.Named.Slices, _id, 0));
        }

        await pipe.Writer.CompleteAsync();
    }

    /// <summary>While clients wait for processors a long body is held back behind its first slice; a node's is not.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Take_WhileClientsWaitForProcessors_HoldsBackWhatIsLong(bool givesWay)
    {
        await using var bench = new OriginBench(store, busy: 0.5);
        bench.Time.Advance(GivingWay.Look);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        BodyFeed feed = bench.Intake.Start(
            Answers.Of(length: 3 * Slice, body: pipe.Reader.AsStream(), givesWay: givesWay), _id, 0, 3 * Slice, isStrong: false, null);
        await pipe.Writer.WriteAsync(_bytes.AsMemory(0, Slice));
        await Waiting.UntilAsync(() => feed.Position == Slice);
        await pipe.Writer.WriteAsync(_bytes.AsMemory(Slice, 2 * Slice));
        await Waiting.UntilAsync(() => bench.Counters.UpstreamBytesTotal > Slice);

        Assert.True(feed.Position == Slice || !givesWay);
        await Waiting.UntilAsync(() =>
        {
            bench.Time.Advance(givesWay ? TimeSpan.FromMilliseconds(10) : TimeSpan.Zero);
            return feed.Position == 3 * Slice;
        });
        await pipe.Writer.CompleteAsync();
        Assert.True(await feed.Completion.Task.InTimeAsync());
    }

    [Fact]
    public async Task NextPresent_BehindASlice_IsWhatIsStoredOnItsWayOrAskedFor()
    {
        await using var bench = new OriginBench(store);
        BodyFeed stored = bench.Intake.Start(
            Answer(0, Slice), _id, 5 * Slice, 6 * Slice, isStrong: false, whenWhole: null);
        Assert.True(await stored.Completion.Task.InTimeAsync());
        Assert.Equal(5 * Slice, bench.Intake.NextPresent(_id, 0, 10 * Slice));
        Assert.Equal(3 * Slice, bench.Intake.NextPresent(_id, 0, 3 * Slice));
        Assert.Equal(10 * Slice, bench.Intake.NextPresent(_id, 5 * Slice, 10 * Slice));

        bench.Feeds.Add(new BodyFeed(_id, 3 * Slice, null, store.Named.Slices, bench.Time));
        Assert.Equal(3 * Slice, bench.Intake.NextPresent(_id, 0, 10 * Slice));
        var coming = new TaskCompletionSource<BodyFeed?>();
        Task<BodyFeed?> asked = bench.Feeds.JoinOrAsk(_id, Slice, false, () => new RangePlan(Slice, 2 * Slice), _ => coming.Task);
        Assert.Equal(Slice, bench.Intake.NextPresent(_id, 0, 10 * Slice));
        coming.SetResult(null);
        await asked.InTimeAsync();
    }

    private FetchedAnswer Answer(int from, int to) => Answers.Of(length: to - from, body: new MemoryStream(_bytes, from, to - from));
}
