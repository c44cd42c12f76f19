using Breakwater.Proxy.Requests;

namespace Breakwater.Proxy.Tests.Requests;

public class ByteRangeTests
{
    [Theory]
    [InlineData("bytes=0-0", 10, 0, 1)]
    [InlineData("bytes=0-", 10, 0, 10)]
    [InlineData("bytes=9-", 10, 9, 1)]
    [InlineData("bytes=2-5", 10, 2, 4)]
    [InlineData("bytes=2-500", 10, 2, 8)]
    [InlineData("bytes=-3", 10, 7, 3)]
    [InlineData("bytes=-30", 10, 0, 10)]
    [InlineData("BYTES=1-1", 10, 1, 1)]
    [InlineData("bytes= 1-2 ", 10, 1, 2)]
    [InlineData("bytes=-10", 10, 0, 10)]
    [InlineData("bytes=9-9", 10, 9, 1)]
    [InlineData("bytes=3-999999999999999999", 10, 3, 7)] // 18 digits
    public void TryResolve_Satisfiable_GivesOffsetAndCount(string header, long length, long offset, long count)
    {
        Assert.True(ByteRange.TryParse(header, out ByteRange range));
        Assert.True(range.TryResolve(length, out long actualOffset, out long actualCount));
        Assert.Equal((offset, count), (actualOffset, actualCount));
    }

    [Theory]
    [InlineData("bytes=10-", 10)]
    [InlineData("bytes=10-20", 10)]
    [InlineData("bytes=-0", 10)]
    [InlineData("bytes=0-", 0)]
    public void TryResolve_NothingOfIt_IsFalse(string header, long length)
    {
        Assert.True(ByteRange.TryParse(header, out ByteRange range));
        Assert.False(range.TryResolve(length, out _, out _));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("bytes=")]
    [InlineData("bytes=-")]
    [InlineData("bytes=5-2")]
    [InlineData("bytes=5-0")]
    [InlineData("bytes=5")]
    [InlineData("bytes=0-1000000000000000000")] // 19 digits
    [InlineData("bytes=0-1,3-4")]
    [InlineData("bytes=a-b")]
    [InlineData("bytes=+1-2")]
    [InlineData("bytes=0-9999999999999999999")]
    [InlineData("lines=0-1")]
    public void TryParse_NotOneByteRange_IsIgnored(string? header) => Assert.False(ByteRange.TryParse(header, out _));
}
