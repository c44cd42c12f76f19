using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Scrubbing;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Faults;

/// <summary>
/// Everything at once: two Stratum 1s that do all that a Stratum 1 can do wrong, clients that leave and dawdle, the real process. The
/// length is <c>BREAKWATER_STORM_REQUESTS</c> (default 3,000), the seed <c>BREAKWATER_STORM_SEED</c>; <c>perf/Faults/storm.sh</c> runs
/// 100,000 and keeps the result.
/// </summary>
[Collection(ServeProcess.OneAtATime)]
public sealed class FaultStormTests : IAsyncLifetime
{
    private const int Workers = 48;
    private static readonly int s_requests = Number("BREAKWATER_STORM_REQUESTS", 3_000);
    private static readonly int s_seed = Number("BREAKWATER_STORM_SEED", 8);
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };
    private readonly TemporaryDirectory _directory = new();
    private readonly ScriptedUpstream _first = ScriptedUpstream.Start();
    private readonly ScriptedUpstream _second = ScriptedUpstream.Start();
    private readonly FaultPlan _firstFaults = new(s_seed, 0.4);
    private readonly FaultPlan _secondFaults = new(s_seed + 1, 0.1);
    private readonly ConcurrentDictionary<string, int> _ends = new();
    private readonly ConcurrentQueue<string> _wrong = [];
    private SyntheticObject[] _items = [];

    public Task InitializeAsync()
    {
        Random random = new(s_seed);
        _items = [.. Enumerable.Range(0, Math.Max(400, s_requests / 8)).Select(i =>
            new SyntheticObject(i % 50 == 0 ? random.Next(1 << 20, 2 << 20) : random.Next(50, 20_000), (s_seed * 1_000_000) + i).On(_first,
            _second))];
        Dictionary<string, int> lengths = _items.ToDictionary(o => o.Path, o => o.Bytes.Length);
        _first.Choose = request => _firstFaults.Choose(request.Path, lengths.GetValueOrDefault(request.Path, 1));
        _second.Choose = request => _secondFaults.Choose(request.Path, lengths.GetValueOrDefault(request.Path, 1));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Storm_OfAllFaults_NoWrongBodyNoHangNoLeakAndTheStoreIsClean()
    {
        string store = _directory.Combine("store");

        // The worse of the two stays the first to be asked.
        await using ServeProcess proxy = await ServeProcess.StartAsync(
            store,
            [_first, _second],
            null,
            ("Proxy:FirstByteTimeout", "00:00:00.2"),
            ("Proxy:AnswerTimeout", "00:00:02"),
            ("Proxy:FetchPatience", "00:00:01"),
            ("ReverseProxy:Clusters:test:HealthCheck:Passive:Enabled", "false"));
        using (RawHttpClient warm = await RawHttpClient.ConnectAsync(proxy.EndPoint))
        {
            Assert.Equal(403, (await warm.GetAsync("http://s1/cvmfs/other.example.net/.cvmfspublished")).Status);
        }

        await Waiting.UntilAsync(() => ClientSockets(proxy) == 0, TimeSpan.FromSeconds(90));
        (int files, int sockets) before = Count(proxy, store);
        long began = Stopwatch.GetTimestamp();
        int next = -1;
        await Task.WhenAll(Enumerable.Range(0, Workers)
            .Select(_ => Task.Run(() => WorkAsync(proxy, () => Interlocked.Increment(ref next)))));
        TimeSpan took = Stopwatch.GetElapsedTime(began);

        Assert.False(proxy.HasExited);
        bool isLong = s_requests >= 50_000;
        await Waiting.UntilAsync(() => ClientSockets(proxy) == 0, TimeSpan.FromSeconds(90));

        // Idle connections to a Stratum 1 are kept for 30 s: only a long storm waits for them.
        await Waiting.UntilAsync(() => Count(proxy, store).Files <= before.files
            && (!isLong || Count(proxy, store).Sockets <= before.sockets), TimeSpan.FromSeconds(90));
        (int files, int sockets) after = Count(proxy, store);
        string[] ofStore = [.. proxy.Descriptors().Where(d => d.StartsWith(store, StringComparison.Ordinal))];
        Assert.Equal(ofStore.Distinct(), ofStore); // each file of the store is open once, and none that is deleted
        Assert.DoesNotContain(ofStore, d => d.EndsWith(" (deleted)", StringComparison.Ordinal));
        Assert.Equal(0, await proxy.TerminateAsync());
        (long held, ScrubReport report) = await CheckStoreAsync(store);
        Save(took, before, after, held, report);

        Assert.Empty(_wrong);
        Assert.Empty(report.Damaged);
        Assert.Equal(0, _ends.GetValueOrDefault("hang"));
        Assert.Equal(s_requests, _ends.Values.Sum());
        Assert.True(_ends.GetValueOrDefault("right") > s_requests / 2 && held > 0, JsonSerializer.Serialize(_ends));
        Assert.Equal(FaultPlan.Names.Order(), _firstFaults.Done.Keys.Order());
    }

    private async Task WorkAsync(ServeProcess proxy, Func<int> take)
    {
        RawHttpClient? client = null;
        for (int number = take(); number < s_requests; number = take())
        {
            Random random = new(HashCodeOf(number));
            SyntheticObject item = _items[random.Next(_items.Length)];
            ClientManner manner = FaultPlan.MannerOf(random);
            string end;
            using CancellationTokenSource hang = new(TimeSpan.FromSeconds(30));
            try
            {
                client ??= await RawHttpClient.ConnectAsync(proxy.EndPoint, hang.Token);
                end = await AskAsync(client, item, manner, random, hang.Token);
            }
            catch (OperationCanceledException)
            {
                end = "hang";
            }
            catch (Exception e) when (e is EndOfStreamException or SocketException)
            {
                end = "closed without an answer";
            }

            _ends.AddOrUpdate(end, 1, (_, n) => n + 1);
            if (end is not ("right" or "404" or "502" or "504"))
            {
                client?.Dispose();
                client = null;
            }
        }

        client?.Dispose();
    }

    private async Task<string> AskAsync(RawHttpClient client, SyntheticObject item, ClientManner manner, Random random,
        CancellationToken cancellationToken)
    {
        byte[] request = RawHttpClient.Request("GET", item.Url);
        if (manner is ClientManner.SplitsHead or ClientManner.LeavesInItsHead)
        {
            int cut = random.Next(1, request.Length - 1);
            await client.SendAsync(request.AsMemory(0, cut), cancellationToken);
            if (manner == ClientManner.LeavesInItsHead)
            {
                return "left";
            }

            await Task.Delay(random.Next(5), cancellationToken);
            await client.SendAsync(request.AsMemory(cut), cancellationToken);
        }
        else
        {
            await client.SendAsync(request, cancellationToken);
        }

        if (manner == ClientManner.ResetsAtOnce)
        {
            client.Socket.LingerState = new LingerOption(true, 0);
            return "left";
        }

        RawResponseHead head = await client.ReadHeadAsync(cancellationToken);
        if (manner == ClientManner.LeavesHalfWay && head.Status == 200)
        {
            await client.ReadSomeAsync(new byte[random.Next(1, 4_000)], cancellationToken);
            return "left";
        }

        if (manner == ClientManner.ReadsSlowly && head is { Status: 200, ContentLength: { } length })
        {
            byte[] slow = new byte[length];
            for (int got = 0; got < length;)
            {
                int read = await client.ReadSomeAsync(slow.AsMemory(got, Math.Min(8_000, slow.Length - got)), cancellationToken);
                if (read == 0)
                {
                    return "cut";
                }

                got += read;
                await Task.Delay(1, cancellationToken);
            }

            return Judge(item, head, slow, true);
        }

        (byte[] body, bool isComplete) = await client.ReadBodyAsync(head, cancellationToken);
        return Judge(item, head, body, isComplete);
    }

    private string Judge(SyntheticObject item, RawResponseHead head, byte[] body, bool isComplete)
    {
        if (head.Status != 200)
        {
            return head.Status.ToString(CultureInfo.InvariantCulture);
        }

        if (!isComplete)
        {
            return "cut";
        }

        if (item.Bytes.AsSpan().SequenceEqual(body))
        {
            return "right";
        }

        _wrong.Enqueue($"{item.Path}: {body.Length} bytes instead of {item.Bytes.Length}");
        return "wrong";
    }

    /// <summary>Every object that the store holds, byte by byte and by its own check.</summary>
    private async Task<(long Held, ScrubReport Report)> CheckStoreAsync(string path)
    {
        await using FasterObjectStore store = await FasterObjectStore.OpenAsync(new StoreOptions { Path = path });
        long held = 0;
        foreach (SyntheticObject item in _items)
        {
            if (store.TryOpen(item.Key, out ObjectLease? lease))
            {
                using (lease)
                {
                    byte[] bytes = new byte[lease.Length];
                    for (int n = 0; n < bytes.Length;)
                    {
                        n += await lease.ReadAsync(n, bytes.AsMemory(n));
                    }

                    held++;
                    if (!item.Bytes.AsSpan().SequenceEqual(bytes))
                    {
                        _wrong.Enqueue($"stored: {item.Path}");
                    }
                }
            }
        }

        return (held, await store.VerifyAsync(null, false, CancellationToken.None));
    }

    /// <summary>
    /// Open files and sockets; without the store's segments, and without what the runtime opens once, at the first use of something, and
    /// keeps.
    /// </summary>
    private static (int Files, int Sockets) Count(ServeProcess proxy, string store)
    {
        IReadOnlyList<string> all = proxy.Descriptors();
        int sockets = all.Count(d => d.StartsWith("socket:", StringComparison.Ordinal));
        return (all.Count(d => !d.StartsWith(store, StringComparison.Ordinal) && !d.EndsWith(".dll", StringComparison.Ordinal)
            && !d.EndsWith(".pdb", StringComparison.Ordinal) && d != "/dev/urandom") - sockets, sockets);
    }

    /// <summary>Connections of clients that the proxy still has.</summary>
    private static int ClientSockets(ServeProcess proxy)
    {
        HashSet<string> own = [.. proxy.Descriptors()];
        string port = ":" + proxy.EndPoint.Port.ToString("X4", CultureInfo.InvariantCulture);
        return File.ReadLines($"/proc/{proxy.Id}/net/tcp").Skip(1).Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Count(f => f[1].EndsWith(port, StringComparison.Ordinal) && f[3] != "0A" && own.Contains($"socket:[{f[9]}]"));
    }

    private void Save(TimeSpan took, (int Files, int Sockets) before, (int Files, int Sockets) after, long held, ScrubReport report)
    {
        if (Environment.GetEnvironmentVariable("BREAKWATER_STORM_RESULT") is { Length: > 0 } file)
        {
            File.WriteAllText(file, JsonSerializer.Serialize(
                new
                {
                    benchmark = "fault-storm",
                    seed = s_seed,
                    requests = s_requests,
                    objects = _items.Length,
                    seconds = Math.Round(took.TotalSeconds, 1),
                    wrongBodies = _wrong.Count,
                    hangs = _ends.GetValueOrDefault("hang"),
                    ends = new SortedDictionary<string, int>(_ends),
                    faultsOfFirst = new SortedDictionary<string, int>(_firstFaults.Done.ToDictionary()),
                    faultsOfSecond = new SortedDictionary<string, int>(_secondFaults.Done.ToDictionary()),
                    filesBefore = before.Files,
                    filesAfter = after.Files,
                    socketsBefore = before.Sockets,
                    socketsAfter = after.Sockets,
                    storedObjects = held,
                    verifiedObjects = report.Objects,
                    damaged = report.Damaged.Count,
                    machine = $"{Environment.ProcessorCount} cores, "
                    + $"{System.Runtime.InteropServices.RuntimeInformation.OSDescription}, .NET {Environment.Version}",
                },
                s_json));
        }
    }

    private static int HashCodeOf(int number) => unchecked((s_seed * 486187739) + (number * 16777619));

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int value)
        ? value
        : otherwise;
}
