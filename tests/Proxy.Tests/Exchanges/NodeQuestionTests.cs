using System.Text;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Tests.Caching;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>Requests and answers of ordinary HTTP as nodes say them to each other.</summary>
public sealed class NodeQuestionTests
{
    private static readonly (string Target, string Host) s_asked = ("http://o.example.org/x?y", "o.example.org:81");

    [Theory]
    [InlineData("")]
    [InlineData("Accept: */*")]
    [InlineData("A: 1|A: 2|B: c: d|E: \u00e9")]
    public void TryRead_OfWhatWasWritten_IsTheSame(string text)
    {
        HeaderFields fields = Headers.OfText(text);
        string? written = NodeQuestion.Write(s_asked, fields);

        Assert.True(NodeQuestion.TryRead(written, out (string Target, string Host) asked, out HeaderFields? read));
        Assert.Equal(s_asked, asked);
        Assert.Equal(fields.AsEnumerable(), read);
    }

    [Theory]
    [InlineData("a\nb\n", true)]
    [InlineData("a\nb\nC: d\n", true)]
    [InlineData("a\nb\nC:d\n", false)]
    [InlineData("a\nb\n: d\n", false)]
    [InlineData("a\nb\nC: d", false)]
    [InlineData("a\nb\nnothing\nC: d\n", false)]
    [InlineData("a\nb", false)]
    [InlineData("a", false)]
    [InlineData("", false)]
    public void TryRead_OfAnythingElse_IsNone(string text, bool isRead)
    {
        string written = Convert.ToBase64String(Encoding.Latin1.GetBytes(text));

        Assert.Equal(isRead, NodeQuestion.TryRead(written, out (string Target, string Host) asked, out _));
        Assert.Equal(isRead ? ("a", "b") : default, asked);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("no base64")]
    public void TryRead_OfNoText_IsNone(string? written) => Assert.False(NodeQuestion.TryRead(written, out _, out _));

    /// <summary>A longer one would be no field of a request.</summary>
    [Theory]
    [InlineData(32 << 10, true)]
    [InlineData((32 << 10) + 1, false)]
    public void Write_OfMoreThanARequestHolds_IsNone(int length, bool isWritten)
    {
        int rest = length - s_asked.Target.Length - s_asked.Host.Length - 2 - "A: \n".Length;

        Assert.Equal(isWritten, NodeQuestion.Write(s_asked, Headers.Of("A: " + new string('x', rest))) is not null);
    }

    [Theory]
    [InlineData(200, "OK", "A: 1|A: 2")]
    [InlineData(404, "", "")]
    [InlineData(200, "Very good", "X: \u00e9")]
    public void TryReadHead_OfWhatWasWritten_IsTheSame(int status, string reason, string text)
    {
        byte[] head = NodeQuestion.WriteHead(status, reason, Headers.OfText(text));

        Assert.Equal(head.Length - NodeQuestion.PrefixBytes, BitConverter.ToInt32(head));
        ReadOnlySpan<byte> said = head.AsSpan(NodeQuestion.PrefixBytes);
        Assert.True(NodeQuestion.TryReadHead(said, out int code, out string why, out HeaderFields? fields));
        Assert.Equal((status, reason), (code, why));
        Assert.Equal(Headers.OfText(text).AsEnumerable(), fields);
    }

    [Theory]
    [InlineData("200\n", true)]
    [InlineData("599 x\n", true)]
    [InlineData("199 x\n", false)]
    [InlineData("600 x\n", false)]
    [InlineData("-200 x\n", false)]
    [InlineData("x\n", false)]
    [InlineData("200 x\ry\n", false)]
    [InlineData("200 x", false)]
    [InlineData("200 x\nA: b\n", true)]
    [InlineData("200 x\nA: b", false)]
    [InlineData("200 x\nnothing\n", false)]
    public void TryReadHead_OfAnythingElse_IsNone(string head, bool isRead) =>
        Assert.Equal(isRead, NodeQuestion.TryReadHead(Encoding.Latin1.GetBytes(head), out _, out _, out _));
}
