using Breakwater.Proxy.Observability;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.HitPath;

/// <summary>
/// The same bytes to a proxy with the hit path and to one without: the same bytes must come back (docs/develop/adr, "The hit path").
/// </summary>
public class DifferentialTests
{
    private const int Sequences = 10_000;
    private const int AtATime = 8;

    [Fact]
    public async Task Answers_ThousandsOfSequencesDownBothWays_AreTheSame()
    {
        FixtureRepository repository = FixtureRepository.MiniOs;
        await using ScriptedUpstream upstream = ScriptedUpstream.Serving(repository);
        FakeTimeProvider time = new(DateTimeOffset.UtcNow); // It stands still for both: ages are compared too.
        await using ProxyUnderTest raw = await ProxyUnderTest.StartAsync(null, time, upstream);
        await using ProxyUnderTest ordinary =
            await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { ["Proxy:RawPath"] = "false" }, time, upstream);
        var objects = repository.Objects.OrderBy(o => o.Value.Length).Select(o => repository.UrlPath(o.Key)).ToList();
        List<string> chosen = [.. objects.Take(25), .. objects.TakeLast(3)];
        string[] documents = [repository.UrlPath(".cvmfspublished"), repository.UrlPath(".cvmfswhitelist")];
        foreach (string path in chosen.Concat(documents))
        {
            Assert.Equal(200, (await raw.GetAsync(path)).Head.Status);
            Assert.Equal(200, (await ordinary.GetAsync(path)).Head.Status);
        }

        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(("10", "10"),
            ((await raw.GetAsync(documents[0])).Header("Age"), (await ordinary.GetAsync(documents[0])).Header("Age")));
        await AnsweredRawAsync(raw, chosen[0]);
        var sequences = new RequestSequences(chosen, documents);
        await Parallel.ForEachAsync(Enumerable.Range(1, Sequences), new ParallelOptions { MaxDegreeOfParallelism = AtATime },
            async (seed, _) =>
        {
            IReadOnlyList<byte[]> pieces = sequences.Make(seed);
            bool isNarrow = seed % 16 == 0;
            await Conversation.AssertSameAsync(seed, raw.EndPoint, ordinary.EndPoint, pieces, isNarrow);
        });

        Assert.True(raw.Services.GetRequiredService<ProxyCounters>().HitPathAnswers > Sequences / 4);
        Assert.Equal(0, ordinary.Services.GetRequiredService<ProxyCounters>().HitPathAnswers);
    }

    /// <summary>An object is answered raw once the store has committed it: asks until it is.</summary>
    private static async Task AnsweredRawAsync(ProxyUnderTest proxy, string path)
    {
        ProxyCounters counters = proxy.Services.GetRequiredService<ProxyCounters>();
        await Waiting.UntilAsync(async () =>
        {
            await proxy.GetAsync(path);
            return counters.HitPathAnswers > 0;
        });
    }
}
