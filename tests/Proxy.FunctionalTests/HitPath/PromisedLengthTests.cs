using System.Globalization;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.HitPath;

/// <summary>
/// Whatever becomes of the fetch behind an answer, what is on the wire is its head and as many right bytes as the head promised, or the
/// connection is reset.
/// </summary>
public sealed class PromisedLengthTests
{
    private const int Rounds = 48;

    [Theory]
    [InlineData("true", "takes it")]
    [InlineData("true", "finds it too long")]
    [InlineData("true", "is full")]
    [InlineData("false", "takes it")]
    [InlineData("false", "finds it too long")]
    [InlineData("false", "is full")]
    public async Task Answer_WhateverTheFetchDoes_IsHeadAndPromisedLengthOrAReset(string rawPath, string store)
    {
        await using ScriptedUpstream bad = ScriptedUpstream.Start();
        await using ScriptedUpstream good = ScriptedUpstream.Start();
        Dictionary<string, string?> settings = new()
        {
            ["Proxy:RawPath"] = rawPath,
            ["Proxy:FirstByteTimeout"] = "00:00:05",
            ["Proxy:AnswerTimeout"] = "00:00:20",
            ["Store:MaxObjectBytes"] = store == "finds it too long" ? "1048576" : null,
            ["ReverseProxy:Clusters:test:HealthCheck:Passive:Enabled"] = "false",
            ["Logging:LogLevel:Default"] = "None",
        };
        var disk = new FaultyDisk();
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartOnAsync(disk, settings, bad, good);
        SyntheticObject control = new SyntheticObject(777, seed: 999_999).On(good);
        Assert.Equal(control.Bytes, (await proxy.GetAsync(control.Path)).Body);
        disk.WriteFault = store == "is full" ? FaultyDisk.Full : null;

        int complete = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, Rounds), new ParallelOptions { MaxDegreeOfParallelism = 12 }, async (seed, _) =>
        {
            var random = new Random(seed);
            SyntheticObject item =
                new SyntheticObject(random.Next(3) == 0 ? random.Next(0, 300_000) : random.Next(1_100_000, 1_600_000), seed).On(bad, good);
            bad.Script(item.Path, Fault(random, item.Bytes));
            good.Script(item.Path, random.Next(3) == 0
                ? new UpstreamBehaviour { Chunked = true, BytesPerSecond = 1_500_000 }
                : UpstreamBehaviour.Default);
            if (await AskAsync(proxy, item, control, random.Next(5), seed))
            {
                Interlocked.Increment(ref complete);
            }
        });
        Assert.True(complete > Rounds / 2, $"{complete} whole answers");
        if (disk.WriteFault is not null)
        {
            proxy.EndsBusy(); // what waits to be written goes on waiting for room
        }
    }

    /// <summary>The first Stratum 1's answer: longer, shorter, cut, slow, and combinations.</summary>
    private static UpstreamBehaviour Fault(Random random, byte[] body)
    {
        byte[] other =
            new byte[random.Next(4) switch
            {
                0 => 3,
                1 => body.Length + 5_000,
                2 => Math.Max(0, body.Length - 5_000),
                _ => random.Next(1_700_000)
            }];
        body.AsSpan(0, random.Next(2) == 0 ? 0 : Math.Min(body.Length, other.Length)).CopyTo(other);
        var behaviour = new UpstreamBehaviour { BytesPerSecond = random.Next(3) == 0 ? 0 : 900_000, Chunked = random.Next(3) == 0 };
        return random.Next(6) switch
        {
            0 => behaviour with { TruncateAt = random.Next(body.Length + 1) },
            1 => behaviour
                with
            {
                ResetAt = random.Next(body.Length + 1),
                FlipBitAt = random.Next(2) == 0 && body.Length > 0
                ? random.Next(body.Length)
                : null
            },
            2 => behaviour with { DeclaredLength = body.Length + 1_000, Chunked = false },
            3 => behaviour with { DoubleBody = true },
            _ => behaviour with { ReplaceBody = other },
        };
    }

    /// <summary>Asks in one of several ways. True: the answer was whole.</summary>
    private static async Task<bool> AskAsync(ProxyUnderTest proxy, SyntheticObject item, SyntheticObject control, int way, int seed)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(25));
        using RawHttpClient client = await proxy.ConnectAsync();
        int first = way == 1 ? item.Bytes.Length / 3 : 0;
        await client.SendAsync(way switch
        {
            1 => RawHttpClient.Request("GET", item.Path, string.Create(CultureInfo.InvariantCulture, $"Range: bytes={first}-{first + 99}")),
            2 => RawHttpClient.Request("GET", item.Path, "Cache-Control: no-cache"),
            3 => System.Text.Encoding.ASCII.GetBytes($"GET {item.Path} HTTP/1.0\r\n\r\n"),
            _ => RawHttpClient.Request("GET", item.Path),
        });
        RawResponse response;
        try
        {
            response = await client.ReadResponseAsync(cancellationToken: patience.Token);
        }
        catch (EndOfStreamException)
        {
            // A reset may have come before the head was read.
            Assert.True(client.WasReset, $"seed {seed}: an end without an answer");
            return false;
        }

        if (!response.IsComplete)
        {
            Assert.True(client.WasReset, $"seed {seed}: an answer that is short ended in order after {response.Body.Length} bytes");
            return false;
        }

        Assert.True(response.Status is 200 or 206 or 416 or 502 or 504, $"seed {seed}: {response.Head.StatusLine}");
        ReadOnlySpan<byte> expected = response.Status == 206
            ? item.Bytes.AsSpan(first, Math.Min(100, item.Bytes.Length - first))
            : item.Bytes;
        Assert.True(response.Status is not (200 or 206) || expected.SequenceEqual(response.Body),
            $"seed {seed}: whole and wrong, {response.Body.Length} of {item.Bytes.Length} bytes");
        if (way != 3)
        {
            // Nothing more was sent than promised: the next answer begins where this one ends.
            Assert.Equal(control.Bytes, (await client.GetAsync(control.Path).WaitAsync(patience.Token)).Body);
        }

        return response.Status is 200 or 206;
    }
}
