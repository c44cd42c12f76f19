using System.Text;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>What is refused before the pipeline sees it: the client is told why, and the log has a line.</summary>
public sealed class ParserRefusalTests
{
    public static TheoryData<int, string, bool> Refusals
    {
        get
        {
            (int Status, string Request)[] all =
            [
                (400, "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
                (400, "GET / HTTP/1.1\r\n\r\n"),
                (400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
                (400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
                (400, "HEAD / HTTP/1.1\r\nHost: a b\r\n\r\n"),
                (414, $"GET /{new string('a', 9000)} HTTP/1.1\r\nHost: a\r\n\r\n"),
                (431, $"GET / HTTP/1.1\r\nHost: a\r\nX: {new string('a', 20_000)}\r\n\r\n"),
                (431, $"GET / HTTP/1.1\r\nHost: a\r\n{string.Concat(Enumerable.Repeat("X: a\r\n", 100))}\r\n"),
                (505, "GET / HTTP/3.7\r\nHost: a\r\n\r\n"),
                (400, "EHLO example.org\r\n\r\n"),
                (408, "GET / HTTP/1.1\r\nHost: a\r\n"),
            ];
            var data = new TheoryData<int, string, bool>();
            foreach ((int status, string request) in all)
            {
                data.Add(status, request, true);
                data.Add(status, request, false);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Request_ThatIsNone_IsAnsweredWithABodyAndRecorded(int status, string request, bool rawPath)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(3_000).On(upstream);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>
            {
                ["Proxy:RawPath"] = rawPath.ToString(),
                ["Proxy:RequestHeadTimeout"] = status == 408 ? "00:00:01" : null,
            },
            null,
            upstream);
        RequestRecorder recorder = proxy.Services.GetRequiredService<RequestRecorder>();
        bool isHead = request.StartsWith("HEAD", StringComparison.Ordinal);

        // The first request of a connection, and one behind others.
        foreach (int before in new[] { 0, 2 })
        {
            using RawHttpClient client = await proxy.ConnectAsync();
            for (int i = 0; i < before; i++)
            {
                Assert.Equal(item.Bytes, (await client.GetAsync(item.Path, "Cache-Control: no-cache")).Body);
            }

            long recorded = recorder.TotalOf(RequestResult.Refused).Requests;
            await client.SendAsync(request);
            RawResponse answer = await client.ReadResponseAsync(isHead);

            Assert.Equal((status, true, "close", "1.1 breakwater"),
                (answer.Status, answer.IsComplete, answer.Header("Connection"), answer.Header("Via")));
            Assert.Equal(isHead ? "" : $"{status}: ", Encoding.ASCII.GetString(answer.Body)[..(isHead ? 0 : 5)]);
            Assert.True(await client.IsClosedByServerAsync());
            await Waiting.UntilAsync(() => recorder.TotalOf(RequestResult.Refused).Requests == recorded + 1);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Host_OtherThanTheTargets_IsIgnored(bool rawPath)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(3_000).On(upstream);
        await using ProxyUnderTest proxy =
            await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { ["Proxy:RawPath"] = rawPath.ToString() }, null, upstream);
        using RawHttpClient client = await proxy.ConnectAsync();
        foreach (string host in new[] { "proxy.example.org:3128", "10.0.0.1", "s1.example.org:8000", "[::1]:3128", "s1.example.org", "" })
        {
            await client.SendAsync($"GET http://s1.example.org{item.Path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            RawResponse response = await client.ReadResponseAsync();
            Assert.Equal(200, response.Status);
            Assert.Equal(item.Bytes, response.Body);
        }
    }
}
