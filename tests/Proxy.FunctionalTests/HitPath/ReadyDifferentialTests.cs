using Breakwater.Proxy.FunctionalTests.Http;
using Breakwater.Proxy.Observability;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.HitPath;

/// <summary>
/// As <see cref="DifferentialTests"/>, of ordinary HTTP: what the loops answer by themselves is byte by byte what the ordinary way says.
/// </summary>
public sealed class ReadyDifferentialTests
{
    private const string Site = "repo.example.com";
    private const int Sequences = 400;
    private const int AtATime = 8;

    [Fact]
    public async Task Answers_OfOrdinaryHttpDownBothWays_AreTheSame()
    {
        FakeTimeProvider time = new(DateTimeOffset.UtcNow); // It stands still for both: ages are compared too.
        var answers = new ReadyOrigin(time.GetUtcNow());
        await using HttpOrigin origin = await HttpOrigin.StartAsync(answers.AnswerAsync);
        string destination = new Uri(origin.Address).Authority;
        await using ProxyUnderTest raw = await StartAsync(origin, time, isRaw: true);
        await using ProxyUnderTest ordinary = await StartAsync(origin, time, isRaw: false);
        foreach (ProxyUnderTest proxy in (ProxyUnderTest[])[raw, ordinary])
        {
            await StoreAllAsync(proxy, destination);
        }

        time.Advance(TimeSpan.FromSeconds(10.4));
        var sequences = new ReadySequences(Site, destination);
        await Parallel.ForEachAsync(Enumerable.Range(1, Sequences), new ParallelOptions { MaxDegreeOfParallelism = AtATime },
            async (seed, _) => await Conversation.AssertSameAsync(
                seed, raw.EndPoint, ordinary.EndPoint, sequences.Make(seed), isNarrow: seed % 16 == 0));

        long answered = raw.Services.GetRequiredService<ProxyCounters>().HitPathAnswers;
        Assert.True(answered > Sequences / 8, $"{answered} answers on the loops");
        Assert.Equal(0, ordinary.Services.GetRequiredService<ProxyCounters>().HitPathAnswers);
    }

    /// <summary>Asks for all in each way that varies them until each is answered from what is stored.</summary>
    private static async Task StoreAllAsync(ProxyUnderTest proxy, string destination)
    {
        string[] fields = ["", "Accept-Encoding: gzip\r\n", "Accept-Encoding: identity\r\n", "Accept-Language: de\r\n", "X-Flavour: a\r\n",
            "Accept-Language: de\r\nX-Flavour: a\r\n"];
        using RawHttpClient client = await proxy.ConnectAsync();
        foreach (string path in ReadyOrigin.Stored)
        {
            foreach (string root in (string[])["", "http://" + destination, "http://" + Site])
            {
                foreach (string field in path is "/coded" or "/varied" ? fields : fields[..1])
                {
                    await Waiting.UntilAsync(async () =>
                    {
                        await client.SendAsync($"GET {root}{path} HTTP/1.1\r\nHost: {Site}\r\n{field}\r\n");
                        RawResponse answer = await client.ReadResponseAsync();
                        Assert.True(answer.IsComplete);
                        return answer.Head.AllHeaders("Cache-Status").Last().Contains("hit; ttl", StringComparison.Ordinal);
                    }, what: $"a hit of {root}{path} {field}");
                }
            }
        }
    }

    private static Task<ProxyUnderTest> StartAsync(HttpOrigin origin, FakeTimeProvider time, bool isRaw) => ProxyUnderTest.StartAsync(
        new Dictionary<string, string?>(ProxyUnderTest.Patient)
        {
            [$"Http:Sites:{Site}:Origin"] = origin.Address,
            ["Access:Destinations:0"] = "127.0.0.1:*",
            ["Access:AllowedUpstreams:0"] = "127.0.0.1/32",
            ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = "http://127.0.0.1:9/",
            ["Proxy:RawPath"] = isRaw ? "true" : "false",
        },
        time);
}
