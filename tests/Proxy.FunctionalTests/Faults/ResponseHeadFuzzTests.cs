using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Faults;

/// <summary>
/// Heads of a Stratum 1 damaged at random, the same in every run: the client gets right bytes from the next Stratum 1, and nothing wrong is
/// stored.
/// </summary>
public sealed class ResponseHeadFuzzTests
{
    private const int Rounds = 400;

    private static readonly string[] s_lines =
    [
        "Content-Length: 5", "Content-Length: -1", "Content-Length: 99999999999999999999", "Transfer-Encoding: chunked",
            "Transfer-Encoding: gzip, chunked", "Content-Encoding: br",
        "Content-Range: bytes 0-4/5", "Location: http://127.0.0.1:9/", " folded", "Name with space: x", ": nameless", "Set-Cookie: a=b",
            "Connection: close, keep-alive", "Trailer: X",
        "X-Long: " + new string('a', 40_000), "X: \u0001\u0002", "Upgrade: h2c", "Age: -5", "Date: yesterday",
    ];

    [Fact]
    public async Task Head_DamagedAtRandom_RightBytesFromTheNextAndNothingWrongIsStored()
    {
        await using ScriptedUpstream bad = ScriptedUpstream.Start();
        await using ScriptedUpstream good = ScriptedUpstream.Start();
        ConcurrentDictionary<string, byte[]> answers = new();
        SyntheticObject[] items = [.. Enumerable.Range(0, Rounds).Select(i => new SyntheticObject(300, i).On(bad, good))];
        foreach ((int i, SyntheticObject item) in items.Index())
        {
            answers[item.Path] = Damage(new Random(i), item.Bytes);
        }

        bad.Choose = request => new UpstreamBehaviour { RawAnswer = answers[request.Path] };

        // The bad one answers at once and closes: no answer here is awaited in vain, and the good one may be slow on a busy machine.
        Dictionary<string, string?> settings =
            new()
            {
                ["Proxy:FirstByteTimeout"] = "00:00:20",
                ["Proxy:AnswerTimeout"] = "00:01:00",
                ["Proxy:FetchPatience"] = "00:00:30",
                ["Logging:LogLevel:Default"] = "None"
            };
        settings["ReverseProxy:Clusters:test:HealthCheck:Passive:ReactivationPeriod"] = "00:00:00.001";
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(settings, null, bad, good);
        await Parallel.ForEachAsync(items.Index(), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (entry, _) =>
        {
            RawResponse response = await proxy.GetAsync($"http://{bad.EndPoint}{entry.Item.Path}");
            Assert.True(response.Status == 200 && response.IsComplete && entry.Item.Bytes.AsSpan().SequenceEqual(response.Body),
                $"seed {entry.Index}: {response.Head.StatusLine}");
            if (await proxy.ReadStoredAsync(entry.Item.Key) is { } stored)
            {
                Assert.Equal(entry.Item.Bytes, stored);
            }
        });
        Assert.True(bad.Requests.Count > Rounds / 10, $"{bad.Requests.Count} damaged answers");
    }

    private static byte[] Damage(Random random, byte[] body)
    {
        List<string> head =
            ["HTTP/1.1 200 OK", "Content-Type: application/octet-stream",
            string.Create(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}")];
        for (int change = random.Next(1, 4); change > 0; change--)
        {
            int at = random.Next(head.Count);
            switch (random.Next(6))
            {
                case 0:
                    head.Insert(random.Next(1, head.Count + 1), s_lines[random.Next(s_lines.Length)]);
                    break;
                case 1:
                    head[at] = head[at].Length > 0 ? head[at].Remove(random.Next(head[at].Length), 1) : "x";
                    break;
                case 2:
                    head[at] = head[at].Insert(random.Next(head[at].Length + 1), ((char)random.Next(256)).ToString());
                    break;
                case 3:
                    head[0] = $"HTTP/{random.Next(3)}.{random.Next(3)} {random.Next(1100)} {new string('r', random.Next(20))}";
                    break;
                case 4:
                    head.Add(head[at]);
                    break;
                default:
                    head[at] = head[at].Replace(": ", random.Next(2) == 0 ? ":\t\n" : " :", StringComparison.Ordinal);
                    break;
            }
        }

        byte[] whole = [.. Encoding.Latin1.GetBytes(string.Join(random.Next(8) == 0 ? "\n" : "\r\n", head) + "\r\n\r\n"), .. body];
        return random.Next(6) == 0 ? whole[..random.Next(whole.Length)] : whole;
    }
}
