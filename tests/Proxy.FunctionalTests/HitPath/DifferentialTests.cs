using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Breakwater.Proxy.Observability;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.HitPath;

/// <summary>
/// The same bytes to a proxy with the hit path and to one without: the same bytes must come back (docs/develop/adr, "The hit path").
/// </summary>
public partial class DifferentialTests
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
            Task<Answers> one = ConverseAsync(raw.EndPoint, pieces, isNarrow);
            Task<Answers> other = ConverseAsync(ordinary.EndPoint, pieces, isNarrow);
            if (!(await one).IsSameAs(await other))
            {
                string sent = string.Join("¦", pieces.Select(Encoding.Latin1.GetString));
                Assert.Fail($"seed {seed}\n--- sent\n{sent}\n{(await one).Difference(await other)}");
            }
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

    /// <summary>Sends the pieces, then no more; returns all that comes back, with what may differ taken out.</summary>
    private static async Task<Answers> ConverseAsync(IPEndPoint server, IReadOnlyList<byte[]> pieces, bool isNarrow)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (isNarrow)
        {
            socket.ReceiveBufferSize = 2048;
        }

        await socket.ConnectAsync(server, deadline.Token);
        Task sending = SendAsync(socket, pieces, deadline.Token);
        bool isReset = false;
        using var answer = new MemoryStream();
        byte[] buffer = new byte[isNarrow ? 1500 : 64 << 10];
        try
        {
            int read;
            while ((read = await socket.ReceiveAsync(buffer, deadline.Token)) > 0)
            {
                answer.Write(buffer, 0, read);
            }
        }
        catch (SocketException)
        {
            // The server closed while there were bytes of ours that it had not read: some of its own may be lost.
            isReset = true;
        }

        await sending;
        return new Answers(Varying().Replace(Encoding.Latin1.GetString(answer.ToArray()), "Date: *"), isReset);
    }

    private static async Task SendAsync(Socket socket, IReadOnlyList<byte[]> pieces, CancellationToken cancellationToken)
    {
        try
        {
            foreach (byte[] piece in pieces)
            {
                await socket.SendAsync(piece, SocketFlags.None, cancellationToken);
                await Task.Yield();
            }
        }
        catch (SocketException)
        {
            // The server closed after an error: it need not read the rest.
        }
    }

    [GeneratedRegex("Date: [^\r]*")]
    private static partial Regex Varying();

    private sealed record Answers(string Text, bool IsReset)
    {
        public bool IsSameAs(Answers other) =>
            Text == other.Text
            || (IsReset && other.Text.StartsWith(Text, StringComparison.Ordinal))
            || (other.IsReset && Text.StartsWith(other.Text, StringComparison.Ordinal));

        public string Difference(Answers other)
        {
            int at = Text.AsSpan().CommonPrefixLength(other.Text);
            int from = Math.Max(0, at - 300);
            return $"--- lengths {Text.Length} and {other.Text.Length}, same up to {at}, reset {IsReset} and {other.IsReset}\n--- hit "
                + $"path\n{Cut(Text, from)}\n--- ordinary\n{Cut(other.Text, from)}";
        }

        private static string Cut(string text, int from) =>
            new([.. text.AsSpan(from, Math.Min(700, text.Length - from)).ToArray()
            .Select(c => c is '\r' or '\n' or (>= ' ' and < (char)127) ? c : '?')]);
    }
}
