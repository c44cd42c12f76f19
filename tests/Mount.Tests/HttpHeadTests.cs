namespace Breakwater.Mount.Tests;

public sealed class HttpHeadTests
{
    [Theory]
    [InlineData("HTTP/1.1 200", 200, null, false, false)]
    [InlineData("HTTP/1.1 200 OK\nContent-Length: 5", 200, 5L, false, true)]
    [InlineData("HTTP/1.1 404 Not Found\nCONTENT-LENGTH:0", 404, 0L, false, true)]
    [InlineData("HTTP/1.0 200 OK\nContent-Length: 5", 200, 5L, false, false)]
    [InlineData("HTTP/1.2 200 OK\nContent-Length: 5", 200, 5L, false, true)]
    [InlineData("HTTP/1.1 200 OK\nContent-Length: 5\nConnection: Keep-Alive, Close", 200, 5L, false, false)]
    [InlineData("HTTP/1.1 200 OK\nConnection: close\nConnection: keep-alive\nContent-Length: 5", 200, 5L, false, false)]
    [InlineData("HTTP/1.1 200 OK\nConnection: keep-alive\nContent-Length: 5", 200, 5L, false, true)]
    [InlineData("HTTP/1.1 200 OK\nTransfer-Encoding: Chunked", 200, null, true, true)]
    [InlineData("HTTP/1.1 200 OK\nContent-Length: 5\nTransfer-Encoding: chunked", 200, null, true, true)]
    [InlineData("HTTP/1.1 200 OK\n: 7\nnothing\nX: 1\nContent-Length: 5", 200, 5L, false, true)]
    [InlineData("HTTP/1.1 200 OK\nx:\nContent-Length: 9223372036854775807", 200, long.MaxValue, false, true)]
    public void Parse_OfAHead_SaysHowTheBodyEndsAndWhetherMayFollow(
        string head, int status, long? length, bool isChunked, bool isKeptAlive) =>
        Assert.Equal(new HttpHead(status, length, isChunked, isKeptAlive), HttpHead.Parse(head));

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/2 200 OK")]
    [InlineData("HTTP/1.1 20")]
    [InlineData("HTTP/1.1-200 OK")]
    [InlineData("HTTP/1.1 +20 OK")]
    [InlineData("HTTP/1.1 200 OK\nContent-Length:")]
    [InlineData("HTTP/1.1 200 OK\nContent-Length: 9223372036854775808")]
    [InlineData("HTTP/1.1 200 OK\nContent-Length: 0\nContent-Length: 1")]
    [InlineData("HTTP/1.1 200 OK\nTransfer-Encoding: chunked, gzip")]
    public void Parse_OfWhatIsNoHead_Fails(string head) => Assert.Throws<AnswerException>(() => HttpHead.Parse(head));
}
