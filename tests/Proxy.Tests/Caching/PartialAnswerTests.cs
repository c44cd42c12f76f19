using Breakwater.Proxy.Caching;

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
}
