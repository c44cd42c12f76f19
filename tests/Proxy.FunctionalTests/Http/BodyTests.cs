using System.Globalization;
using System.Text;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;

namespace Breakwater.Proxy.FunctionalTests.Http;

/// <summary>Bodies of ordinary HTTP in slices: what is fetched of them, and that no client ever has a wrong one for whole.</summary>
public sealed class BodyTests
{
    private const int Mebibyte = 1 << 20;

    [Fact]
    public async Task Range_OfAColdBigFile_FetchesItsSliceAndLaterOnlyTheRest()
    {
        byte[] file = new SyntheticObject(6 * Mebibyte + 77).Bytes;
        await using HttpOrigin origin = await HttpOrigin.StartAsync(context =>
            HttpOrigin.ServeAsync(context, file, "\"a\"", "max-age=600"));
        await using ProxyUnderTest proxy = await ExchangeTests.StartAsync(origin);

        await AssertRangeAsync(proxy, file, 2 * Mebibyte + 5, 100);
        await AssertRangeAsync(proxy, file, 2 * Mebibyte + 500, 1000);
        await AssertRangeAsync(proxy, file, file.Length - 10, 10);
        RawResponse whole = await ExchangeTests.AskAsync(proxy, "/f");
        RawResponse suffix = await ExchangeTests.AskAsync(proxy, "/f", "Range: bytes=-7\r\n");
        RawResponse beyond = await ExchangeTests.AskAsync(proxy, "/f", $"Range: bytes={file.Length}-\r\n");

        Assert.True(whole.IsComplete && whole.Body.AsSpan().SequenceEqual(file));
        Assert.Equal((206, $"bytes {file.Length - 7}-{file.Length - 1}/{file.Length}"), (suffix.Status, suffix.Header("Content-Range")));
        Assert.Equal((416, $"bytes */{file.Length}"), (beyond.Status, beyond.Header("Content-Range")));
        Assert.Equal(
            [
                $"GET /f bytes={2 * Mebibyte}-{3 * Mebibyte - 1}", $"GET /f bytes={6 * Mebibyte}-{file.Length - 1}", "GET /f",
                $"GET /f bytes={3 * Mebibyte}-{6 * Mebibyte - 1}",
            ],
            origin.Asked.Where(asked => asked.Length > 0));
    }

    [Fact]
    public async Task Parts_ManyAtATime_CostTheFileOnce()
    {
        byte[] file = new SyntheticObject(16 * Mebibyte).Bytes;
        await using HttpOrigin origin = await HttpOrigin.StartAsync(context =>
            HttpOrigin.ServeAsync(context, file, "\"a\"", "max-age=600"));
        await using ProxyUnderTest proxy = await ExchangeTests.StartAsync(origin);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => AssertRangeAsync(proxy, file, i * 2 * Mebibyte, 2 * Mebibyte))).InTimeAsync();

        Assert.InRange(origin.PromisedBytes, 1, file.Length + 2 * Mebibyte);
        long before = origin.PromisedBytes;
        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => AssertRangeAsync(proxy, file, i * Mebibyte, Mebibyte))).InTimeAsync();
        Assert.Equal(before, origin.PromisedBytes);
    }

    [Fact]
    public async Task Generations_ChangingBetweenSlices_AreNeverMixed()
    {
        var random = new Random(20);
        byte[][] generations = [.. Enumerable.Range(0, 3).Select(i => new SyntheticObject(3 * Mebibyte + 5, seed: i).Bytes)];
        int current = 0;
        await using HttpOrigin origin = await HttpOrigin.StartAsync(context =>
            HttpOrigin.ServeAsync(context, generations[current], $"\"{current}\"", random.Next(2) == 0 ? "max-age=600" : "no-cache"));
        await using ProxyUnderTest proxy = await ExchangeTests.StartAsync(origin);

        for (int round = 0; round < 40; round++)
        {
            string path = $"/f{round % 4}";
            long offset = random.Next(generations[0].Length - 10);
            string range = random.Next(2) == 0 ? "" : $"Range: bytes={offset}-\r\n";
            RawResponse answer = await ExchangeTests.AskAsync(proxy, path, range);
            current = random.Next(3);

            int start = answer.Status == 206 ? (int)offset : 0;
            int seen = int.Parse(answer.Header("ETag")!.Trim('"'), CultureInfo.InvariantCulture);
            Assert.True(generations[seen].AsSpan(start, answer.Body.Length).SequenceEqual(answer.Body), $"round {round}");
            if (answer.IsComplete)
            {
                Assert.Equal(generations[seen].Length - start, answer.Body.Length);
            }
        }
    }

    [Fact]
    public async Task Connection_ThatBreaks_IsContinuedUnderTheSameValidator()
    {
        byte[] file = new SyntheticObject(3 * Mebibyte).Bytes;
        int asked = 0;
        var gate = new Gate();
        await using HttpOrigin origin = await HttpOrigin.StartAsync(async context =>
        {
            if (Interlocked.Increment(ref asked) > 1)
            {
                await HttpOrigin.ServeAsync(context, file, "\"a\"", "max-age=600");
                return;
            }

            context.Response.Headers.ETag = "\"a\"";
            context.Response.Headers.CacheControl = "max-age=600";
            context.Response.ContentLength = file.Length;
            await context.Response.Body.WriteAsync(file.AsMemory(0, Mebibyte + 1000));
            await context.Response.Body.FlushAsync();

            // Not before it was read: what lies unread in a socket goes with a connection that is reset.
            await gate.Opened.InTimeAsync();
            context.Abort();
        });
        await using ProxyUnderTest proxy = await ExchangeTests.StartAsync(origin);

        using RawHttpClient client = await proxy.ConnectAsync();
        await client.SendAsync("GET /f HTTP/1.1\r\nHost: h.example.org\r\n\r\n");
        RawResponseHead head = await client.ReadHeadAsync();
        byte[] begin = await client.ReadExactlyAsync(Mebibyte + 1);
        gate.Open();
        byte[] rest = await client.ReadExactlyAsync(file.Length - begin.Length);

        Assert.Equal(file.Length, head.ContentLength);
        Assert.True(begin.Concat(rest).SequenceEqual(file));
        Assert.Equal(["GET /f", $"GET /f bytes={Mebibyte}-{file.Length - 1}"], origin.Asked);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\nCache-Control: max-age=60\r\n\r\nshort")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nCache-Control: max-age=60\r\n\r\n5\r\nshort\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nCache-Control: max-age=60\r\n\r\n5\r\nshort\r\nnonsense\r\n")]
    public async Task Body_ThatIsCut_IsNeverCompleteAndNeverStored(string answer)
    {
        await using ScriptedUpstream origin = ScriptedUpstream.Start();
        origin.Everything = new UpstreamBehaviour { RawAnswer = Encoding.ASCII.GetBytes(answer) };
        await using ProxyUnderTest proxy = await StartAsync(origin);
        using RawHttpClient old = await proxy.ConnectAsync();
        await old.SendAsync("GET /f HTTP/1.0\r\nHost: h.example.org\r\n\r\n");
        bool isReset = await IsCutAsync(old);
        using RawHttpClient client = await proxy.ConnectAsync();
        await client.SendAsync("GET /f HTTP/1.1\r\nHost: h.example.org\r\n\r\n");

        Assert.True(isReset, "A client of HTTP/1.0 took the cut body for whole.");
        Assert.True(await IsCutAsync(client));
        Assert.Equal(2, origin.Requests.Count);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nConnection: close\r\n\r\nbody")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")]
    [InlineData("nonsense\r\n\r\n")]
    public async Task Head_ThatMakesNoSense_IsA502WithAReason(string answer)
    {
        await using ScriptedUpstream origin = ScriptedUpstream.Start();
        origin.Everything = new UpstreamBehaviour { RawAnswer = Encoding.ASCII.GetBytes(answer) };
        await using ProxyUnderTest proxy = await StartAsync(origin);

        RawResponse response = await ExchangeTests.AskAsync(proxy, "/f");

        Assert.Equal(502, response.Status);
        Assert.StartsWith("breakwater; error=http_", response.Header("Proxy-Status"), StringComparison.Ordinal);
        Assert.NotEmpty(response.Body);
    }

    /// <summary>What each hit would pay for again is refused, or is nobody's but the one's who asked.</summary>
    [Fact]
    public async Task Head_OfMoreFieldsOrNamesThanAnyHas_IsRefusedOrNotStored()
    {
        await using ScriptedUpstream origin = ScriptedUpstream.Start();
        await using ProxyUnderTest proxy = await StartAsync(origin);

        Assert.Equal(200, (await GiveAsync(string.Concat(Enumerable.Range(0, 240).Select(i => $"x{i}: 1\r\n")))).Status);
        Assert.Equal(502, (await GiveAsync(string.Concat(Enumerable.Range(0, 260).Select(i => $"x{i}: 1\r\n")))).Status);
        Assert.Equal(502, (await GiveAsync(string.Concat(Enumerable.Repeat("vary: a\r\n", 260)))).Status);
        Assert.Contains("; stored", await StatusAsync(names: 32), StringComparison.Ordinal);
        Assert.DoesNotContain("; stored", await StatusAsync(names: 33), StringComparison.Ordinal);
        Assert.DoesNotContain("; stored", await StatusAsync(names: 5000), StringComparison.Ordinal);

        async Task<string?> StatusAsync(int names) =>
            (await GiveAsync($"vary: {string.Join(',', Enumerable.Range(0, names).Select(i => $"n{i}"))}\r\n")).Header("Cache-Status");

        async Task<RawResponse> GiveAsync(string fields)
        {
            origin.Everything = new UpstreamBehaviour
            {
                RawAnswer = Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nCache-Control: max-age=9\r\nContent-Length: 2\r\n{fields}\r\nok"),
            };
            return await ExchangeTests.AskAsync(proxy, "/f", "Cache-Control: no-cache\r\n");
        }
    }

    [Theory]
    [InlineData("bytes 0-9/4194304", 10)]
    [InlineData("bytes 1048576-1048585/4194304", 11)]
    [InlineData("bytes 1048576-2097151/1048577", 1 << 20)]
    [InlineData("bytes 1048576-2097151/*", 1 << 20)]
    [InlineData("nonsense", 1 << 20)]
    public async Task ContentRange_ThatLies_IsNotStored(string contentRange, int length)
    {
        byte[] body = new byte[length];
        await using HttpOrigin origin = await HttpOrigin.StartAsync(async context =>
        {
            context.Response.StatusCode = 206;
            context.Response.Headers.ETag = "\"a\"";
            context.Response.Headers.CacheControl = "max-age=600";
            context.Response.Headers.ContentRange = contentRange;
            context.Response.ContentLength = length;
            await context.Response.Body.WriteAsync(body);
        });
        await using ProxyUnderTest proxy = await ExchangeTests.StartAsync(origin);

        for (int i = 0; i < 2; i++)
        {
            RawResponse answer = await ExchangeTests.AskAsync(proxy, "/f", "Range: bytes=1048576-1048600\r\n");
            Assert.DoesNotContain("stored", answer.Header("Cache-Status"), StringComparison.Ordinal);
        }

        Assert.InRange(origin.Asked.Length, 3, 4);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Store_ThatTakesNothing_StillPassesBodiesWhole(bool isOpenBefore)
    {
        var disk = new FaultyDisk();
        byte[] file = new SyntheticObject(20 * Mebibyte).Bytes;
        await using HttpOrigin origin = await HttpOrigin.StartAsync(context =>
            HttpOrigin.ServeAsync(context, file, "\"a\"", "max-age=600"));
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartOnAsync(disk, new Dictionary<string, string?>
        {
            ["Http:Sites:*:Origin"] = origin.Address,
            ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = "http://127.0.0.1:9/",
        });
        Assert.Equal(200, isOpenBefore ? (await ExchangeTests.AskAsync(proxy, "/before")).Status : 200);
        disk.WriteFault = FaultyDisk.Full;

        RawResponse[] answers = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => ExchangeTests.AskAsync(proxy, "/f"))).InTimeAsync();

        Assert.All(answers, answer => Assert.True(answer.IsComplete && answer.Body.AsSpan().SequenceEqual(file)));
        disk.WriteFault = null;
    }

    private static async Task AssertRangeAsync(ProxyUnderTest proxy, byte[] file, int offset, int count)
    {
        RawResponse part = await ExchangeTests.AskAsync(proxy, "/f", $"Range: bytes={offset}-{offset + count - 1}\r\n");

        Assert.Equal((206, $"bytes {offset}-{offset + count - 1}/{file.Length}"), (part.Status, part.Header("Content-Range")));
        Assert.True(part.IsComplete && file.AsSpan(offset, count).SequenceEqual(part.Body));
    }

    /// <summary>Does the client see that its answer is not whole?</summary>
    private static async Task<bool> IsCutAsync(RawHttpClient client)
    {
        try
        {
            RawResponse response = await client.ReadResponseAsync();
            return !response.IsComplete || client.WasReset || response.Status == 502;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static Task<ProxyUnderTest> StartAsync(ScriptedUpstream origin) => ProxyUnderTest.StartAsync(
        new Dictionary<string, string?>
        {
            ["Http:Sites:*:Origin"] = origin.Address,
            ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = "http://127.0.0.1:9/",
        },
        null);
}
