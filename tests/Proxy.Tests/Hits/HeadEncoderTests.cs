using System.Text;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Hits;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Hits;

/// <summary>The heads of hits, to the byte.</summary>
public sealed class HeadEncoderTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 6, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly HeadEncoder _heads;

    public HeadEncoderTests() => _heads = new HeadEncoder(new ProxyOptions { Name = "p" }, _time);

    [Theory]
    [InlineData("Hit", true, "p; hit")]
    [InlineData("Hit", false, "p; hit")]
    [InlineData("Miss", true, "p; fwd=uri-miss; stored")]
    [InlineData("Miss", false, "p; fwd=uri-miss")]
    [InlineData("Joined", true, "p; fwd=uri-miss; stored; collapsed")]
    [InlineData("Joined", false, "p; fwd=uri-miss; collapsed")]
    public void WriteObject_OfEachResult_IsItsHead(string result, bool isStored, string status)
    {
        byte[] head = new byte[HeadEncoder.MaxBytes];
        int length = _heads.WriteObject(head, 1234567890123, Enum.Parse<RequestResult>(result), isStored);

        Assert.Equal(
            "HTTP/1.1 200 OK\r\nContent-Length: 1234567890123\r\nContent-Type: application/octet-stream\r\n"
            + "Date: Mon, 01 Jun 2026 12:00:00 GMT\r\nAccept-Ranges: bytes\r\nAge: 0\r\n"
            + $"Cache-Control: public, max-age=259200, immutable\r\nVia: 1.1 p\r\nCache-Status: {status}\r\n\r\n",
            Encoding.ASCII.GetString(head, 0, length));
        Assert.All(head[length..], b => Assert.Equal(0, b));
    }

    [Fact]
    public void WriteObject_ASecondLater_HasTheNewDate()
    {
        _time.Advance(TimeSpan.FromMilliseconds(999));
        Assert.Contains("Date: Mon, 01 Jun 2026 12:00:00 GMT\r\n", Object(), StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Contains("Date: Mon, 01 Jun 2026 12:00:01 GMT\r\n", Object(), StringComparison.Ordinal);
        Assert.Contains("Date: Mon, 01 Jun 2026 12:00:01 GMT\r\n", Object(), StringComparison.Ordinal);
    }

    [Fact]
    public void WriteDocument_OfAFreshOne_HasItsAgeAndType()
    {
        var document = new CachedDocument(
            new byte[17], "text/x; a=b", TimeSpan.FromSeconds(61.9), Moment.Now(_time), TimeSpan.FromSeconds(5), "s");
        _time.Advance(TimeSpan.FromSeconds(2.5));
        byte[] head = new byte[HeadEncoder.MaxBytes];

        Assert.Equal(
            "HTTP/1.1 200 OK\r\nContent-Length: 17\r\nContent-Type: text/x; a=b\r\nDate: Mon, 01 Jun 2026 12:00:02 GMT\r\nAge: 7\r\n"
            + "Cache-Control: public, max-age=61\r\nVia: 1.1 p\r\nCache-Status: p; hit\r\n\r\n",
            Encoding.ASCII.GetString(head, 0, _heads.WriteDocument(head, document)));
    }

    [Fact]
    public void RecentTexts_TheSameAgain_IsTheSameString()
    {
        var texts = new RecentTexts();

        Assert.Null(texts.Of([]));
        string first = texts.Of("curl/8"u8)!;
        Assert.Equal("curl/8", first);
        Assert.Same(first, texts.Of("curl/8"u8));
        Assert.Equal("curl/9", texts.Of("curl/9"u8));
        byte[] cut = Encoding.ASCII.GetBytes(new string('x', RequestRecord.MaxTextChars + 1));
        Assert.Equal(RequestRecord.MaxTextChars, texts.Of(cut)!.Length);
        Assert.Same(texts.Of(cut), texts.Of(cut.AsSpan(1)));
    }

    private string Object()
    {
        byte[] head = new byte[HeadEncoder.MaxBytes];
        return Encoding.ASCII.GetString(head, 0, _heads.WriteObject(head, 1, RequestResult.Hit));
    }
}
