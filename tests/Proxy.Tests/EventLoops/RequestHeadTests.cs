using System.Text;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Listening;

namespace Breakwater.Proxy.Tests.EventLoops;

/// <summary>What the loops take for a plain request, byte by byte; what they leave to Kestrel must be all the rest.</summary>
public sealed class RequestHeadTests
{
    private const string Plain = "GET /x HTTP/1.1\r\nHost: h\r\n";

    [Fact]
    public void Scan_APlainRequest_GivesItsParts()
    {
        const string Fields =
            "Host:\th:80 \r\nUser-Agent: curl/8\r\nCVMFS-Info: /bin/sh\r\nvia: 1.1 a\r\nCDN-Loop:b\r\nX-Forwarded-For: c\r\n";
        byte[] bytes = Encoding.Latin1.GetBytes($"HEAD /cvmfs/x HTTP/1.1\r\n{Fields}\r\nGET /next\n");

        Assert.Equal(HeadScan.Plain, RequestHead.Scan(bytes, out RequestHead head));
        Assert.Equal((bytes.Length - 10, true, "/cvmfs/x", "h:80"), (head.Length, head.IsHead, Text(head.Target), Text(head.Host)));
        Assert.Equal(("curl/8", "/bin/sh", "1.1 a", "b"), (Text(head.UserAgent), Text(head.PathHint), Text(head.Via), Text(head.CdnLoop)));
        Assert.Equal((Fields, true, true), (Text(head.FieldLines), head.HasForwardedFor, head.IsForwarded));
    }

    [Fact]
    public void Scan_TheShortest_HasNothingMore()
    {
        Assert.Equal(HeadScan.Plain, RequestHead.Scan("GET / HTTP/1.1\r\nHost: h\r\n\r\n"u8, out RequestHead head));
        Assert.Equal((27, false, "/", "h"), (head.Length, head.IsHead, Text(head.Target), Text(head.Host)));
        Assert.True(head.UserAgent.IsEmpty && head.PathHint.IsEmpty && head.Via.IsEmpty && head.CdnLoop.IsEmpty);
        Assert.False(head.IsForwarded || head.HasForwardedFor);
    }

    [Theory]
    [InlineData("Via: a", true)]
    [InlineData("CDN-Loop: a", true)]
    [InlineData("Via:", false)]
    [InlineData("Vib: a", false)]
    public void IsForwarded_ByEitherField_Is(string field, bool expected)
    {
        RequestHead.Scan(Encoding.ASCII.GetBytes($"{Plain}{field}\r\n\r\n"), out RequestHead head);

        Assert.Equal(expected, head.IsForwarded);
    }

    [Theory]
    [InlineData("/x", true)]
    [InlineData("http://h/x", false)]
    public void HasForwardedFor_InOriginForm_Counts(string target, bool expected)
    {
        RequestHead.Scan(Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: a\r\n\r\n"), out RequestHead head);

        Assert.Equal(expected, head.HasForwardedFor);
    }

    [Theory]
    [InlineData("GET /x HTTP/1.1\r\nHost: h\r\n\r\n", "Plain")]
    [InlineData("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", "Plain")]
    [InlineData("GET /\\x[]{}|^\"<> HTTP/1.1\r\nHost: h\r\n\r\n", "Plain")] // the target's grammar comes later
    [InlineData("GET  HTTP/1.1\r\nHost: h\r\n\r\n", "Doubtful")]
    [InlineData("HEAD  HTTP/1.1\r\nHost: h\r\n\r\n", "Doubtful")]
    [InlineData("GET /x HTTP/1.0\r\nHost: h\r\n\r\n", "Doubtful")]
    [InlineData("GET /x HTTP/1.1 \r\nHost: h\r\n\r\n", "Doubtful")]
    [InlineData("GET HTTP/1.1\r\nHost: h\r\n\r\n", "Doubtful")]
    [InlineData("get /x HTTP/1.1\r\nHost: h\r\n\r\n", "Doubtful")]
    [InlineData("POST /x HTTP/1.1\r\nHost: h\r\n\r\n", "Doubtful")]
    [InlineData("GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", "Doubtful")]
    [InlineData("GET  /x HTTP/1.1\r\nHost: h\r\n\r\n", "Doubtful")]
    [InlineData("GET /\t HTTP/1.1\r\nHost: h\r\n\r\n", "Doubtful")]
    [InlineData("GET /\u007f HTTP/1.1\r\nHost: h\r\n\r\n", "Doubtful")]
    [InlineData("GET /\u00e9 HTTP/1.1\r\nHost: h\r\n\r\n", "Doubtful")]
    [InlineData("GET / HTTP/1.1\r\n\r\n", "Doubtful")]
    [InlineData("\r\n\r\n", "Doubtful")]
    [InlineData("GET / HTTP/1.1\nHost: h\r\n\r\n", "Doubtful")]
    [InlineData("GET / HTTP/1.1\r\nHost: h\nA: b\r\n\r\n", "Doubtful")]
    [InlineData("GET /x HTTP/1.1\r\nHost: h\r\n\r\n\n", "Plain")]
    [InlineData("", "Incomplete")]
    [InlineData("G", "Incomplete")]
    [InlineData("GET /x HTTP/1.1\r\nHost: h\r\n\r", "Incomplete")]
    [InlineData("GET /x HTTP/1.1\r\nHost: h\r\n", "Incomplete")]
    [InlineData("g", "Doubtful")]
    [InlineData("\u0016\u0003\u0001", "Doubtful")]
    [InlineData("GET /x HTTP/1.1\n", "Doubtful")]
    public void Scan_Bytes_ArePlainOrNotYetOrKestrels(string bytes, string expected) => Assert.Equal(expected, Scan(bytes));

    [Theory]
    [InlineData("A: b\r\n", "Plain")]
    [InlineData("A:\r\n", "Plain")]
    [InlineData("A:\tb\tc\r\n", "Plain")]
    [InlineData("Connection: keep-alive\r\n", "Plain")]
    [InlineData("connection: Keep-Alive \r\n", "Plain")]
    [InlineData("Connection: close\r\n", "Doubtful")]
    [InlineData("Connection: keep-alive, x\r\n", "Doubtful")]
    [InlineData("Connection:\r\n", "Doubtful")]
    [InlineData("Content-Length: 0\r\n", "Doubtful")]
    [InlineData("Transfer-Encoding: chunked\r\n", "Doubtful")]
    [InlineData("Expect: 100-continue\r\n", "Doubtful")]
    [InlineData("Upgrade: x\r\n", "Doubtful")]
    [InlineData("Trailer: x\r\n", "Doubtful")]
    [InlineData("Host: h\r\n", "Doubtful")]
    [InlineData("Range: bytes=0-1\r\n", "Ordinary")]
    [InlineData("range: x\r\nA: b\r\n", "Ordinary")]
    [InlineData("Pragma: no-cache\r\n", "Ordinary")]
    [InlineData("If-Range: x\r\n", "Ordinary")]
    [InlineData("Cache-Control: x\r\n", "Ordinary")]
    [InlineData("Authorization: x\r\n", "Ordinary")]
    [InlineData("Proxy-Authorization: x\r\n", "Ordinary")]
    [InlineData("Via: 1.1 a\r\n", "Plain")]
    [InlineData("Via: 1.1 a\r\nVia: 1.1 b\r\n", "Ordinary")]
    [InlineData("CDN-Loop: a\r\nCDN-Loop: b\r\n", "Ordinary")]
    [InlineData("Via: 1.1 a\r\nCDN-Loop: b\r\n", "Plain")]
    [InlineData("User-Agent: a\r\nUser-Agent: b\r\n", "Plain")]
    [InlineData("Rangf: x\r\nPragmb: x\r\nIf-Rangf: x\r\nAuthorizatioo: x\r\nContent-Lengti: 1\r\nUpgradf: x\r\nExpecu: x\r\n", "Plain")]
    [InlineData("Connectiom: close\r\nTransfer-Encodinh: x\r\nProxy-Authorizatioo: x\r\nHosu: a b\r\nCache-Contrpl: x\r\n", "Plain")]
    [InlineData("no field\r\n", "Doubtful")]
    [InlineData(": x\r\n", "Doubtful")]
    [InlineData("A : x\r\n", "Doubtful")]
    [InlineData("A(: x\r\n", "Doubtful")]
    [InlineData(" A: x\r\n", "Doubtful")]
    [InlineData("A: \u0001\r\n", "Doubtful")]
    [InlineData("A: \u007f\r\n", "Doubtful")]
    [InlineData("A: \u00e9\r\n", "Doubtful")]
    public void Scan_AField_ChangesTheAnswerOrTheFramingOrNothing(string fields, string expected)
    {
        Assert.Equal(expected, Scan($"{Plain}{fields}\r\n"));
        Assert.Equal(expected, Scan($"GET /x HTTP/1.1\r\n{fields}Host: h\r\n\r\n"));
    }

    [Theory]
    [InlineData("", "Doubtful")]
    [InlineData("a b", "Doubtful")]
    [InlineData("u@h", "Doubtful")]
    [InlineData("h:0", "Doubtful")]
    [InlineData("[::1]:80", "Plain")]
    public void Scan_TheHost_IsInItsGrammar(string host, string expected) =>
        Assert.Equal(expected, Scan($"GET /x HTTP/1.1\r\nHost: {host}\r\n\r\n"));

    [Theory]
    [InlineData(59, "Plain")]
    [InlineData(60, "Doubtful")]
    public void Scan_SomewhatFewerFieldsThanKestrelTakes_AreTaken(int others, string expected) =>
        Assert.Equal(expected, Scan($"{Plain}{string.Concat(Enumerable.Repeat("A: b\r\n", others))}\r\n"));

    [Theory]
    [InlineData(0, "Plain")]
    [InlineData(1, "Doubtful")]
    public void Scan_LongestFields_AreAsKestrelTakesThem(int more, string expected) =>
        Assert.Equal(expected, Scan(Plain + "A: ".PadRight(ConnectionRules.MaxFieldBytes - 11 + more, 'b') + "\r\n\r\n"));

    [Theory]
    [InlineData(0, "Plain", "Incomplete")]
    [InlineData(1, "Doubtful", "Doubtful")]
    public void Scan_LongestHead_IsLeftToKestrelBeyondIt(int more, string expected, string withoutEnd)
    {
        string head = $"GET /{new string('x', 12_000)} HTTP/1.1\r\nHost: h\r\nA: ".PadRight(ConnectionRules.MaxHeadBytes + more, 'b');

        Assert.Equal(expected, Scan(head + "\r\n\r\n"));
        Assert.Equal(withoutEnd, Scan(head));
    }

    private static string Scan(string bytes) => RequestHead.Scan(Encoding.Latin1.GetBytes(bytes), out _).ToString();

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
}
