using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Tests.Caching;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>Which whole slices are asked for a client's range, and how slices are named.</summary>
public sealed class RangePlanTests
{
    private const long Slice = BodySlice.SizeBytes;

    [Theory]
    [InlineData("bytes=0-0", 0, Slice, "bytes=0-1048575")]
    [InlineData("bytes=0-1048575", 0, Slice, "bytes=0-1048575")]
    [InlineData("bytes=0-1048576", 0, 2 * Slice, "bytes=0-2097151")]
    [InlineData("bytes=1048575-1048576", 0, 2 * Slice, "bytes=0-2097151")]
    [InlineData("bytes=1048576-1048576", Slice, 2 * Slice, "bytes=1048576-2097151")]
    [InlineData("bytes=3000000-3000001", 2 * Slice, 3 * Slice, "bytes=2097152-3145727")]
    public void Of_Range_IsTheSlicesThatItTouches(string range, long first, long end, string asked)
    {
        RangePlan plan = RangePlan.Of(Headers.Of($"Range: {range}"))!.Value;

        Assert.Equal((first, (long?)end, asked), (plan.First, plan.End, plan.ToString()));
        Assert.Equal(new ByteRange(first, end - 1), plan.Range);
    }

    [Fact]
    public void Of_RangeToTheEnd_HasNoEnd()
    {
        RangePlan plan = RangePlan.Of(Headers.Of("Range: bytes=1048577-"))!.Value;

        Assert.Equal((Slice, null, "bytes=1048576-"), (plan.First, plan.End, plan.ToString()));
        Assert.Equal(new ByteRange(Slice, -1), plan.Range);
    }

    [Theory]
    [InlineData("X: y", false)]
    [InlineData("Range: bytes=0-", false)]
    [InlineData("Range: bytes=1048575-", false)]
    [InlineData("Range: bytes=-5", true)]
    [InlineData("Range: bytes=-0", true)]
    [InlineData("Range: lines=1-2", false)]
    [InlineData("Range: bytes=0-1|Range: bytes=0-1", false)]
    public void Of_TheWholeOrNearly_IsNone(string request, bool isSuffix)
    {
        Assert.Null(RangePlan.Of(Headers.OfText(request)));
        Assert.Equal(isSuffix, RangePlan.IsSuffix(Headers.OfText(request)));
        Assert.False(RangePlan.IsSuffix(Headers.Of("Range: bytes=0-1")));
    }

    [Fact]
    public void KeyOf_Slice_IsAnotherForEachBodyAndEachNumber()
    {
        Assert.Equal(BodySlice.KeyOf("a"u8, 1), BodySlice.KeyOf("a"u8, 1));
        Assert.Equal(4, new[]
        {
            BodySlice.KeyOf("a"u8, 0), BodySlice.KeyOf("a"u8, 1), BodySlice.KeyOf("b"u8, 0), BodySlice.KeyOf("a"u8, 1L << 40),
        }.Distinct().Count());
        Assert.Equal([0, 0, Slice, Slice], new[] { 0, Slice - 1, Slice, (2 * Slice) - 1 }.Select(BodySlice.StartOf));
    }

    [Fact]
    public void SliceBuffer_IsFilledFromItsStart()
    {
        var slice = new SliceBuffer(3, 10);
        Assert.Equal((3L, 3 * Slice, 0, false), (slice.Index, slice.Start, slice.Filled, slice.IsFull));

        new byte[] { 1, 2, 3 }.CopyTo(slice.Room);
        slice.Advance(3);
        Assert.Equal((3, false, 7), (slice.Filled, slice.IsFull, slice.Room.Length));
        new byte[] { 4, 5, 6, 7, 8, 9, 10 }.CopyTo(slice.Room);
        slice.Advance(7);

        Assert.Equal((10, true, 0), (slice.Filled, slice.IsFull, slice.Room.Length));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], slice.Bytes.ToArray());
    }
}
