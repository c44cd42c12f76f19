using System.Collections.Concurrent;
using System.Globalization;
using Breakwater.Proxy.Caching;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Http;

/// <summary>
/// A storm of faulty answers of ordinary HTTP: none is complete and wrong at a client, and none is stored. <c>perf/Http/faults.py</c> does
/// 100,000. Another seed: BREAKWATER_FAULT_SEED.
/// </summary>
public sealed class FaultStormTests
{
    private const int Faults = 3_000;
    private const int Clients = 8;

    private readonly ConcurrentBag<string> _wrong = [];
    private int _asked;
    private int _right;

    [Fact]
    public async Task Storm_OfFaultyAnswers_GivesNobodyAWrongOneAndStoresNone()
    {
        int seed = int.Parse(Environment.GetEnvironmentVariable("BREAKWATER_FAULT_SEED") ?? "1", CultureInfo.InvariantCulture);
        var faults = new FaultyAnswers(seed);
        await using ScriptedUpstream origin = ScriptedUpstream.Start();
        origin.Choose = faults.Answer;
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>
            {
                ["Http:Sites:*:Origin"] = origin.Address,
                ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = "http://127.0.0.1:9/",
            },
            null);

        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            while (faults.Met < Faults)
            {
                int number = Interlocked.Increment(ref _asked) - 1;
                await AskAsync(proxy, faults, number, RangeOf(number, seed, faults.Content(number).Length), isWell: false);
                faults.Heal(number);
                await AskAsync(proxy, faults, number, "", isWell: true);
            }
        }))).InTimeAsync();

        Assert.Empty(_wrong.Take(20));
        Assert.Equal(_asked, _right);
    }

    private static string RangeOf(int number, int seed, int length)
    {
        var dice = new Random((seed * 7919) + number);
        int first = dice.Next(length);

        // What shows a password is asked for as the client said it, not in slices.
        string secret = dice.Next(3) == 0 ? "Authorization: Basic eA==\r\n" : "";
        return secret + RangeOf(dice, first);
    }

    private static string RangeOf(Random dice, int first) => dice.Next(10) < 4 ? ""
        : $"Range: bytes={first}-{(dice.Next(3) == 0 ? "" : (first + dice.Next(1, 3_000)).ToString(CultureInfo.InvariantCulture))}\r\n";

    private async Task AskAsync(ProxyUnderTest proxy, FaultyAnswers faults, int number, string range, bool isWell)
    {
        string kind = faults.Kind(number);
        try
        {
            using RawHttpClient client = await proxy.ConnectAsync();
            await client.SendAsync($"GET /f/{number} HTTP/1.1\r\nHost: h.example.org\r\n{range}\r\n");
            RawResponse answer = await client.ReadResponseAsync();
            bool isWhole = answer.IsComplete && !client.WasReset && answer.Status is 200 or 206;
            bool isRight = isWhole && IsRight(answer, faults.Content(number).Span);
            if (isWell ? !isRight : isWhole && !isRight)
            {
                _wrong.Add($"{number} {kind}, {(isWell ? "well" : range.Trim())}: {answer.Status}, {answer.Body.Length} bytes of "
                    + $"{faults.Content(number).Length}, {answer.Header("Content-Range")}, {answer.Header("Cache-Status")}");
            }

            if (isWell && isRight)
            {
                Interlocked.Increment(ref _right);
            }
        }
        catch (IOException) when (!isWell)
        {
            // It ended before its head did: nobody takes that for an answer.
        }
    }

    private static bool IsRight(RawResponse answer, ReadOnlySpan<byte> content) =>
        answer.Status == 200 ? content.SequenceEqual(answer.Body)
        : ContentRange.Parse(answer.Header("Content-Range")) is { } part && (part.Total ?? content.Length) == content.Length
            && content[(int)part.First..(int)(part.Last + 1)].SequenceEqual(answer.Body);
}
