using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Requests;

namespace Breakwater.Proxy.Tests.Caching;

public sealed class PartialAnswerTests
{
    [Theory]
    [InlineData("bytes=0-9", "bytes 0-9/100", 10L, true)]
    [InlineData("bytes=0-9", "bytes 0-9/*", 10L, true)]
    [InlineData("bytes=0-9", "bytes 0-9/100", null, true)]
    [InlineData("bytes=0-9", "bytes 0-4/5", 5L, true)]
    [InlineData("bytes=5-", "bytes 5-99/100", 95L, true)]
    [InlineData("bytes=-10", "bytes 90-99/100", 10L, true)]
    [InlineData("bytes=0-1,5-6", null, 200L, true)]
    [InlineData("lines=1-2", null, 200L, true)]
    [InlineData(null, "bytes 0-9/100", 10L, false)]
    [InlineData("bytes=0-9", null, 10L, false)]
    [InlineData("bytes=0-9", "bytes 0-9/5", 10L, false)]
    [InlineData("bytes=0-9", "bytes 0-9/100", 11L, false)]
    [InlineData("bytes=0-9", "bytes 1-10/100", 10L, false)]
    [InlineData("bytes=5-9", "bytes 0-9/100", 10L, false)]
    [InlineData("bytes=0-9", "bytes 1-9/100", 9L, false)]
    [InlineData("bytes=5-", "bytes 6-99/100", 94L, false)]
    [InlineData("bytes=5-", "bytes 6-100/102", 95L, false)]
    [InlineData("bytes=-10", "bytes 91-99/100", 9L, false)]
    [InlineData("bytes=-10", "bytes 89-99/100", 11L, false)]
    [InlineData("bytes=-10", "bytes 90-99/*", 10L, false)]
    [InlineData("bytes=-200", "bytes 0-99/100", 100L, true)]
    [InlineData("bytes=0-9", "bytes 0-8/100", 9L, true)]
    [InlineData("bytes=0-1,5-6", "bytes 0-6/100", 8L, false)]
    [InlineData("bytes=-10", "bytes 0-9/100", 10L, false)]
    [InlineData("bytes=0-9", "nonsense", 10L, false)]
    public void Part_IsWhatWasAskedForOrAFault(string? range, string? contentRange, long? length, bool isGood)
    {
        var request = new HeaderFields();
        var answer = new HeaderFields();
        if (range is not null)
        {
            request.Add("Range", range);
        }

        if (contentRange is not null)
        {
            answer.Add("Content-Range", contentRange);
        }

        Assert.Equal(isGood, PartialAnswer.FaultOf(request, 206, answer, length) is null);
        Assert.Null(PartialAnswer.FaultOf(request, 200, answer, length));
    }

    [Theory]
    [InlineData(0L, 9L, "bytes 0-9/100", true)]
    [InlineData(0L, 9L, "bytes 0-4/5", true)]
    [InlineData(0L, 9L, "bytes 0-8/100", false)]
    [InlineData(0L, 9L, "bytes 0-9/*", false)]
    [InlineData(5L, -1L, "bytes 5-99/100", true)]
    [InlineData(5L, -1L, "bytes 5-98/100", false)]
    [InlineData(-1L, 10L, "bytes 90-99/100", true)]
    public void Part_IsAllOfTheRange_OnlyUpToTheLastByteThatThereIs(long first, long last, string contentRange, bool isAll) =>
        Assert.Equal(isAll, PartialAnswer.IsAllOf(new ByteRange(first, last), ContentRange.Parse(contentRange)!.Value));
}
