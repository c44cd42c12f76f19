using System.Buffers;
using System.Net;
using System.Text;
using System.Text.Json;
using Breakwater.CacheStore;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Observability.AccessLogs;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Repositories;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Observability;

public class AccessLogLineTests
{
    private static readonly RecordClock s_clock =
        new(TimeProvider.System, DateTimeOffset.FromUnixTimeMilliseconds(1_795_505_284_912), Ticks(1000));

    [Fact]
    public void Squid_ObjectHit_HasSquidsFieldsThenOurs() => Assert.Equal(
        "1795505284.912    250 10.1.2.3 TCP_MEM_HIT/200 4096 GET /cvmfs/a.example.org/data/ab/cdef0123456789abcdef0123456789abcdef01C - "
        + "HIER_NONE/- application/octet-stream 1.5 /cvm4/bin/sh\n",
        Line(AccessLogFormat.Squid, Hit(), "/cvm4/bin/sh"));

    [Theory]
    [InlineData("Squid", "1795505284.912    250 2001:db8::1 TCP_MISS/200 10 HEAD http://h:80/%20x - HIER_DIRECT/s1:8000 - 1.5 -\n")]
    [InlineData("Combined", "2001:db8::1 - - [24/Nov/2026:07:28:04 +0000] \"HEAD http://h:80/%20x HTTP/1.1\" 200 10 \"-\" \"curl/8 (x)\" "
        + "miss s1:8000 1.5 -\n")]
    [InlineData("Json", "{\"time\":\"2026-11-24T07:28:04.662Z\",\"client\":\"2001:db8::1\",\"method\":\"HEAD\","
        + "\"url\":\"http://h:80/%20x\",\"status\":200,\"bytes\":10,\"result\":\"miss\",\"source\":\"upstream\","
        + "\"firstByteMs\":1.5,\"durationMs\":250,"
        + "\"repository\":\"a.example.org\",\"upstream\":\"s1:8000\",\"userAgent\":\"curl/8 (x)\"}\n")]
    public void Line_OfAMissInFull_HasEachOfItsFields(string format, string line) => Assert.Equal(line, Line(
        Enum.Parse<AccessLogFormat>(format),
        new RequestRecord
        {
            StartedAt = Ticks(750),
            AnsweredAt = Ticks(751.5),
            EndedAt = Ticks(1000),
            Result = RequestResult.Miss,
            Source = ByteSource.Upstream,
            Method = RequestMethod.Head,
            Status = 200,
            BytesSent = 10,
            Fqrn = Breakwater.Repositories.Fqrn.Parse("a.example.org"),
            Client = IPAddress.Parse("2001:db8::1"),
            Authority = "h:80",
            Target = "/ x",
            Upstream = "s1:8000",
            UserAgent = "curl/8 (x)",
        },
        null));

    /// <summary>A client that was gone before there was an answer, of which nothing is known.</summary>
    [Theory]
    [InlineData("Squid", "1795505284.912      0 - TCP_MISS_ABORTED/000 0 GET - - HIER_NONE/- - - -\n")]
    [InlineData("Combined", "- - - [24/Nov/2026:07:28:04 +0000] \"GET - HTTP/1.1\" 000 0 \"-\" \"-\" client-gone - - -\n")]
    [InlineData("Json", "{\"time\":\"2026-11-24T07:28:04.912Z\",\"client\":\"-\",\"method\":\"GET\",\"url\":\"-\",\"status\":0,\"bytes\":0,"
        + "\"result\":\"client-gone\",\"source\":\"none\",\"firstByteMs\":0,\"durationMs\":0}\n")]
    public void Line_OfNothingKnown_HasPlacesForAll(string format, string line) => Assert.Equal(line, Line(
        Enum.Parse<AccessLogFormat>(format),
        new RequestRecord { StartedAt = Ticks(1000), EndedAt = Ticks(1000), Result = RequestResult.ClientGone, Status = 0 }, null));

    [Fact]
    public void Squid_AHitFromDisk_IsNoneOfMemory() => Assert.Contains(" TCP_HIT/200 ",
        Line(AccessLogFormat.Squid, new RequestRecord
        {
            StartedAt = 1,
            EndedAt = 1,
            Result = RequestResult.Hit,
            Source = ByteSource.Disk,
            Status = 200,
        }, null), StringComparison.Ordinal);

    [Fact]
    public void Combined_HostileClient_CannotForgeALine()
    {
        RequestRecord record = new()
        {
            StartedAt = Ticks(1000),
            EndedAt = Ticks(1000),
            Result = RequestResult.Refused,
            Status = 400,
            Client = IPAddress.Loopback,
            Target = "/x\"\n127.0.0.1 - - forged",
            UserAgent = "bad\" \r\nagent\\",
        };

        string line = Line(AccessLogFormat.Combined, record, null);

        Assert.Equal(1, line.Count(c => c == '\n'));
        Assert.Equal(6, line.Count(c => c == '"'));
        Assert.Contains("/x%22%0A127.0.0.1%20-%20-%20forged", line, StringComparison.Ordinal);
    }

    // 20: result codes were documented nowhere.
    [Fact]
    public void Page_HasEachResultWithItsCode()
    {
        string[] rows = File.ReadAllLines(Checkout.PathOf("docs", "operate", "access-log.md"));

        Assert.All(Enum.GetValues<RequestResult>(), result =>
        {
            RequestRecord record = new()
            {
                StartedAt = Ticks(1000),
                EndedAt = Ticks(1000),
                Result = result,
                Status = 200,
                Source = ByteSource.Memory,
                Client = IPAddress.Loopback,
            };
            string code = Line(AccessLogFormat.Squid, record, null).Split(' ', StringSplitOptions.RemoveEmptyEntries)[3].Split('/')[0];
            Assert.Contains(rows, row => row.StartsWith($"| `{RequestRecorder.NameOf(result)}` |", StringComparison.Ordinal)
                && row.Contains($"`{code}`", StringComparison.Ordinal));
        });
    }

    [Fact]
    public void Json_IsOneObjectALine()
    {
        using JsonDocument json = JsonDocument.Parse(Line(AccessLogFormat.Json, Hit(), null));

        Assert.Equal("hit", json.RootElement.GetProperty("result").GetString());
        Assert.Equal("memory", json.RootElement.GetProperty("source").GetString());
        Assert.Equal(1.5, json.RootElement.GetProperty("firstByteMs").GetDouble());
        Assert.False(json.RootElement.TryGetProperty("path", out _));
    }

    [Theory]
    [InlineData("GET", "GET")]
    [InlineData("HEAD", "HEAD")]
    [InlineData("POST", "POST")]
    [InlineData("PURGE", "PURGE")]
    [InlineData("CONNECT", "CONNECT")]
    [InlineData("get", "OTHER")]
    [InlineData("EVIL\n", "OTHER")]
    public void Method_ThatIsKnown_StandsInTheLine(string method, string logged) => Assert.Contains(
        $" {logged} ",
        Line(AccessLogFormat.Squid,
        new RequestRecord
        {
            StartedAt = 1,
            EndedAt = 1,
            Result = RequestResult.Refused,
            Status = 405,
            Target = "/",
            Method = RequestRecord.MethodOf(method)
        }, null),
        StringComparison.Ordinal);

    private static RequestRecord Hit() => new()
    {
        StartedAt = Ticks(750),
        AnsweredAt = Ticks(751.5),
        EndedAt = Ticks(1000),
        Result = RequestResult.Hit,
        Source = ByteSource.Memory,
        Status = 200,
        BytesSent = 4096,
        Key = ObjectKey.Parse("abcdef0123456789abcdef0123456789abcdef01C"),
        HasKey = true,
        Fqrn = Breakwater.Repositories.Fqrn.Parse("a.example.org"),
        Client = IPAddress.Parse("::ffff:10.1.2.3"),
    };

    private static long Ticks(double ms) => (long)(ms * TimeProvider.System.TimestampFrequency / 1000);

    private static string Line(AccessLogFormat format, RequestRecord record, string? path)
    {
        var output = new ArrayBufferWriter<byte>();
        AccessLogLine.Append(output, format, record, s_clock, path);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
