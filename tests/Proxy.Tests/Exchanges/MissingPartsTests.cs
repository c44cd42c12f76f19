using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Tests.Caching;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>Parts of a stored body that are missing: asked for under the validator of the rest, and never of another generation.</summary>
public sealed class MissingPartsTests(SliceStore store) : IClassFixture<SliceStore>
{
    private const int Slice = BodySlice.SizeBytes;
    private const int Length = (3 * Slice) + 5;
    private readonly string _path = $"/{Guid.NewGuid():N}";
    private readonly byte[] _id = Guid.NewGuid().ToByteArray();
    private readonly byte[] _bytes = new SyntheticObject(Length).Bytes;

    [Fact]
    public async Task Fill_APart_AsksForItsSliceUnderTheValidator()
    {
        await using OriginBench bench = Bench("ETag: \"a\"");
        BodyFeed feed = (await FillAsync(bench, Slice + 7, Slice + 9))!;

        Assert.True(await feed.Completion.Task.InTimeAsync());
        Assert.Equal(((long)Slice, (long?)(2 * Slice)), (feed.First, feed.End));
        UpstreamRequest asked = Assert.Single(bench.Origin.Requests);
        Assert.Equal(("GET", $"bytes={Slice}-{(2 * Slice) - 1}", "\"a\""), (asked.Method, asked.Header("Range"), asked.Header("If-Range")));
        Assert.True(BodySlice.IsStored(store.Named.Slices, _id, Slice));
        Assert.Null(await FillAsync(bench, Slice + 7, Slice + 9)); // it is stored by now
        Assert.NotNull(bench.Heads.Find(bench.Exchange(_path).Target.Uri));
        await bench.AtRestAsync();
    }

    /// <summary>The last slice is as long as what is left of the body, and a longer wish ends at the body's end.</summary>
    [Fact]
    public async Task Fill_TheEnd_EndsWithTheBody()
    {
        await using OriginBench bench = Bench("ETag: \"a\"");
        BodyFeed feed = (await FillAsync(bench, 2 * Slice, Length))!;

        Assert.True(await feed.Completion.Task.InTimeAsync());
        Assert.Equal((2L * Slice, (long?)Length), (feed.First, feed.End));
        Assert.Equal($"bytes={2 * Slice}-{Length - 1}", Assert.Single(bench.Origin.Requests).Header("Range"));
        await bench.AtRestAsync();
    }

    /// <summary>Another generation makes the stored one useless. An origin that fails has said nothing of it.</summary>
    [Theory]
    [InlineData("ETag: \"b\"", 200, false)]
    [InlineData("ETag: \"a\"", 404, false)]
    [InlineData("ETag: \"a\"", 403, false)]
    [InlineData("ETag: \"a\"", 500, true)]
    [InlineData("ETag: \"a\"", 0, true)]
    public async Task Fill_WhatTheOriginHasNoMore_ForgetsTheHeadOnlyWhenItSaysSo(string tag, int status, bool isKept)
    {
        await using OriginBench bench = Bench(tag, status);

        Assert.Null(await FillAsync(bench, Slice, Length));
        Assert.Equal(isKept, bench.Heads.Find(bench.Exchange(_path).Target.Uri) is not null);
        await bench.AtRestAsync();
    }

    /// <summary>An origin that knows no parts sends the whole: one for all who miss some of it.</summary>
    [Fact]
    public async Task Fill_OfAnOriginThatKnowsNoParts_IsTheWholeOnce()
    {
        await using OriginBench bench = Bench("ETag: \"a\"");
        var gate = new Gate();
        bench.Origin.Script(_path, UpstreamBehaviour.WaitsAt(10, gate) with { SupportsRange = false, ExtraHeaders = ["ETag: \"a\""] });
        BodyFeed first = (await FillAsync(bench, 2 * Slice, Length))!;
        Assert.Equal((0L, (long?)Length, true), (first.First, first.End, first.IsOnlyWay));
        BodyFeed second = (await FillAsync(bench, Slice, 2 * Slice))!;
        Assert.Same(first, second);
        gate.Open();

        Assert.True(await first.Completion.Task.InTimeAsync());
        await bench.AtRestAsync();
    }

    [Theory]
    [InlineData("ETag: \"a\"", true)]
    [InlineData("ETag: W/\"a\"", false)]
    [InlineData("X: y", false)]
    [InlineData("Last-Modified: {-60}", true)]
    [InlineData("Last-Modified: {-59}", false)]
    public async Task CanFill_ByTheValidator_IsOnlyWithAStrongOne(string fields, bool expected)
    {
        await using var bench = new OriginBench(store);
        StoredHead head = Headers.Stored(fields, length: Length) with { BodyId = _id };

        Assert.Equal(expected, bench.Parts.CanFill(bench.Exchange(_path), head));
        Assert.False(bench.Parts.CanFill(bench.Exchange(_path), head with { Length = null }));
        if (!expected)
        {
            Assert.Null(await bench.Parts.FillAsync(bench.Exchange(_path), head, 0, Slice, default).InTimeAsync());
        }
    }

    private StoredHead Head() => Headers.Stored("ETag: \"a\"|Cache-Control: max-age=60", length: Length) with { BodyId = _id };

    private OriginBench Bench(string tag, int status = 200)
    {
        var bench = new OriginBench(store);
        bench.Origin.Put(_path, _bytes);
        bench.Origin.Script(_path, status == 0 ? UpstreamBehaviour.ResetWithoutAnswer : new UpstreamBehaviour
        {
            Status = status,
            ExtraHeaders = [tag],
        });
        bench.Heads.Put(bench.Exchange(_path).Target.Uri, Head());
        return bench;
    }

    private Task<BodyFeed?> FillAsync(OriginBench bench, long offset, long end) =>
        bench.Parts.FillAsync(bench.Exchange(_path), Head(), offset, end, default).InTimeAsync();
}
