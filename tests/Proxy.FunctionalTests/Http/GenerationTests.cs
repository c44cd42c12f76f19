using System.Collections.Concurrent;
using System.Globalization;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;

namespace Breakwater.Proxy.FunctionalTests.Http;

/// <summary>
/// A file that changes while clients read it in parts and wholes, whose slices are lost and whose transfers break off: no client has two
/// generations in one body. More rounds: BREAKWATER_GENERATION_ROUNDS.
/// </summary>
public sealed class GenerationTests
{
    private const int Clients = 3;
    private const int Length = (2 << 20) + 4_321;
    private const int Files = 4;

    private static readonly int s_rounds = int.Parse(
        Environment.GetEnvironmentVariable("BREAKWATER_GENERATION_ROUNDS") ?? "30", CultureInfo.InvariantCulture);

    private readonly byte[][] _generations = [.. Enumerable.Range(0, 4).Select(i => new SyntheticObject(Length, seed: i).Bytes)];

    [Theory]
    [InlineData("site")]
    [InlineData("external file")]
    public async Task File_ThatChangesBetweenItsSlices_IsNeverMixed(string of)
    {
        var origin = new ChangingOrigin(_generations);
        await using HttpOrigin server = await HttpOrigin.StartAsync(origin.AnswerAsync);
        Dictionary<string, string?> settings = new()
        {
            ["Http:Sites:*:Origin"] = server.Address,
            ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = server.Address,
        };
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(settings, null);
        string folder = of == "site" ? "/f" : "/cvmfs/synthetic.example.org/store/f";
        int whole = 0;
        for (int round = 0; round < s_rounds; round++)
        {
            var random = new Random(round);
            origin.Begin(random.Next());
            string path = folder + (round % Files).ToString(CultureInfo.InvariantCulture);
            int[] offsets = [.. Enumerable.Range(0, Clients).Select(_ => random.Next(Length))];
            RawResponse?[] answers = await Task.WhenAll(offsets.Select(offset => TryAskAsync(proxy, path, offset))).InTimeAsync();
            whole += answers.Count(answer => answer is not null && IsWhole(answer, round));
            LoseASlice(proxy, random);
        }

        Assert.NotEqual(0, whole);
    }

    /// <summary>Checks an answer; was it whole?</summary>
    private bool IsWhole(RawResponse answer, int round)
    {
        if (answer.Status is not (200 or 206))
        {
            return false;
        }

        int start = answer.Header("Content-Range") is { } range ? int.Parse(range[6..range.IndexOf('-', StringComparison.Ordinal)],
            CultureInfo.InvariantCulture) : 0;
        byte[] generation = _generations[int.Parse(answer.Header("ETag")!.Trim('"'), CultureInfo.InvariantCulture)];
        bool isOne = generation.AsSpan(start, answer.Body.Length).SequenceEqual(answer.Body)
            || Array.Exists(_generations, other => other.AsSpan(start, answer.Body.Length).SequenceEqual(answer.Body));
        Assert.True(isOne, $"round {round}: {answer.Body.Length} bytes from {start} on are of no single generation");
        Assert.True(!answer.IsComplete || generation.AsSpan(start, answer.Body.Length).SequenceEqual(answer.Body),
            $"round {round}: the body is of another generation than its tag");
        return answer.IsComplete;
    }

    /// <summary>Null: the answer broke off before its head was whole.</summary>
    private static async Task<RawResponse?> TryAskAsync(ProxyUnderTest proxy, string path, int offset)
    {
        try
        {
            return await AskAsync(proxy, path, offset);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static Task<RawResponse> AskAsync(ProxyUnderTest proxy, string path, int offset) => (offset % 4) switch
    {
        0 => ExchangeTests.AskAsync(proxy, path),
        1 => ExchangeTests.AskAsync(proxy, path, $"Range: bytes={offset}-\r\n"),
        2 => ExchangeTests.AskAsync(proxy, path, $"Range: bytes={offset}-{offset + 600_000}\r\n"),
        _ => ExchangeTests.AskAsync(proxy, path, "Cache-Control: max-age=0\r\n"),
    };

    private static void LoseASlice(ProxyUnderTest proxy, Random random)
    {
        var slices = (FasterObjectStore)proxy.Store.Named.Slices;
        if (slices.List().ToArray() is { Length: > 0 } stored)
        {
            slices.Remove(stored[random.Next(stored.Length)].Key);
        }
    }

    /// <summary>Serves one generation or the next, by a die thrown for each request, and breaks some transfers off.</summary>
    private sealed class ChangingOrigin(byte[][] generations)
    {
        private readonly Lock _gate = new();
        private Random _random = new(0);            // guarded by _gate
        private readonly ConcurrentDictionary<string, int> _current = new();

        public void Begin(int seed)
        {
            lock (_gate)
            {
                _random = new Random(seed);
            }
        }

        public async Task AnswerAsync(HttpContext context)
        {
            int cut;
            int current;
            bool mayKeep;
            lock (_gate)
            {
                current = _current.AddOrUpdate(
                    context.Request.Path, 0, (_, now) => _random.Next(3) == 0 ? (now + 1) % generations.Length : now);
                cut = _random.Next(5) == 0 ? _random.Next(Length) : int.MaxValue;
                mayKeep = _random.Next(3) > 0;
            }

            if (cut < int.MaxValue)
            {
                context.Response.Body = new CutStream(context, context.Response.Body, cut);
            }

            string tag = string.Create(CultureInfo.InvariantCulture, $"\"{current}\"");
            await HttpOrigin.ServeAsync(context, generations[current], tag, mayKeep ? "max-age=600" : "max-age=0");
        }
    }

    /// <summary>Breaks the connection off behind so many bytes.</summary>
    private sealed class CutStream(HttpContext context, Stream inner, int left) : MemoryStream
    {
        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await inner.WriteAsync(buffer[..Math.Min(buffer.Length, left)], cancellationToken);
            if (buffer.Length > left)
            {
                await inner.FlushAsync(cancellationToken);
                context.Abort();
            }
        }
    }
}
