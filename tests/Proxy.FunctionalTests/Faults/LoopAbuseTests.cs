using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Faults;

/// <summary>Clients that misbehave in each state that a connection of the event loops can be in.</summary>
[Collection(ServeProcess.OneAtATime)]
public sealed class LoopAbuseTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private readonly SyntheticObject _small;
    private readonly SyntheticObject _large;

    public LoopAbuseTests()
    {
        _small = new SyntheticObject(4_000, 1).On(_upstream);
        _large = new SyntheticObject(8 << 20, 2).On(_upstream);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _upstream.DisposeAsync();
        _directory.Dispose();
    }

    /// <summary><c>BREAKWATER_ABUSE_CONNECTIONS</c> makes them more than the 2,000 of each build.</summary>
    [Fact]
    public async Task Connections_ThousandsOfMixedMisbehaviour_GoodOnesAreServedAndDescriptorsComeBack()
    {
        int connections =
            int.TryParse(Environment.GetEnvironmentVariable("BREAKWATER_ABUSE_CONNECTIONS"), NumberStyles.None,
            CultureInfo.InvariantCulture, out int wanted) ? wanted : 2_000;
        await using ServeProcess proxy = await StartWarmAsync();
        await AbuseAsync(proxy, 0, 200); // So that all that is opened once is open.
        await GoneAsync(proxy, int.MaxValue);
        int before = proxy.Descriptors().Count;
        await AbuseAsync(proxy, 200, connections);
        Assert.Equal(_large.Bytes, (await RawHttpClient.GetOnceAsync(proxy.EndPoint, _large.Url)).Body);
        await GoneAsync(proxy, before + 32);
        Assert.Equal(0, await proxy.TerminateAsync());
    }

    [Fact]
    public async Task Heads_LargeOnesWithoutEndFromAFewClients_OthersAreServedMeanwhile()
    {
        await using ServeProcess proxy = await StartWarmAsync();
        byte[] heads =
            [.. Enumerable.Repeat(
            RawHttpClient.Request("HEAD", _small.Path, "X: " + new string('x', 7_000), "Y: " + new string('y', 7_000)), 64)
            .SelectMany(h => h)];
        using CancellationTokenSource stop = new();
        Task[] floods = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(() => FloodAsync(proxy, heads, stop.Token)))];
        using RawHttpClient client = await RawHttpClient.ConnectAsync(proxy.EndPoint);
        int left = 40; // A loop that serves one client to its end gives one in two seconds: it has a deadline for all of them.
        await Waiting.UntilAsync(async () =>
        {
            Assert.Equal(_small.Bytes, (await client.GetAsync(_small.Url)).Body);
            return --left == 0;
        });

        await stop.CancelAsync();
        await Task.WhenAll(floods).InTimeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Answer_ClientThatReadsNothing_IsCutAndASlowOneIsNot(bool isGrowing)
    {
        await using ServeProcess proxy = await StartWarmAsync(("Proxy:ClientTimeout", "00:00:05"));
        SyntheticObject item = isGrowing ? new SyntheticObject(24 << 20, 3).On(_upstream) : _large;
        _upstream.Script(item.Path, UpstreamBehaviour.Default with { BytesPerSecond = 2 << 20 });
        using RawHttpClient stuck = await RawHttpClient.ConnectAsync(proxy.EndPoint);
        stuck.Socket.ReceiveBufferSize = 4096;
        await stuck.SendAsync(RawHttpClient.Request("GET", item.Url));
        using RawHttpClient slow = await RawHttpClient.ConnectAsync(proxy.EndPoint);
        slow.Socket.ReceiveBufferSize = 64 << 10; // A large one tells of room only after a sixteenth of it.
        await slow.SendAsync(RawHttpClient.Request("GET", item.Url));
        RawResponseHead head = await slow.ReadHeadAsync();
        Assert.Equal(200, head.Status);

        // 160 KB/s: on loopback the kernel tells of room 64 KiB at a time.
        byte[] buffer = new byte[16_000];
        int at = 0;
        Stopwatch elapsed = Stopwatch.StartNew();
        while (elapsed.Elapsed < TimeSpan.FromSeconds(11))
        {
            int read = await slow.ReadSomeAsync(buffer);
            Assert.True(read > 0, $"The slow one was cut after {elapsed.Elapsed}.");
            Assert.True(item.Bytes.AsSpan(at, read).SequenceEqual(buffer.AsSpan(0, read)));
            at += read;
            await Task.Delay(100);
        }

        Assert.True(at < item.Bytes.Length);
        int taken = 0;
        for (int read; (read = await stuck.ReadSomeAsync(buffer)) > 0; taken += read)
        {
        }

        Assert.True(taken < item.Bytes.Length, "The stuck one got all of it.");
    }

    [Fact]
    public async Task Head_NotWholeWithinTheSetting_IsA408AndClosedThen()
    {
        await using ServeProcess proxy = await StartWarmAsync(("Proxy:RequestHeadTimeout", "00:00:01"));
        using RawHttpClient client = await RawHttpClient.ConnectAsync(proxy.EndPoint);
        await client.SendAsync("GET /cvmfs/");
        Stopwatch elapsed = Stopwatch.StartNew();

        RawResponse response = await client.ReadResponseAsync().WaitAsync(TimeSpan.FromSeconds(60));

        Assert.Equal((408, true), (response.Status, response.IsComplete));
        Assert.True(await client.IsClosedByServerAsync());
        Assert.True(elapsed.Elapsed < TimeSpan.FromSeconds(9), $"{elapsed.Elapsed}"); // The default is 10 s.
    }

    private async Task<ServeProcess> StartWarmAsync(params IReadOnlyList<(string, string)> settings)
    {
        ServeProcess proxy = await ServeProcess.StartAsync(_directory.Combine("store"), [_upstream], null, settings);
        foreach (SyntheticObject item in (SyntheticObject[])[_small, _large])
        {
            for (int i = 0; i < 2; i++) // fetched; then checked, once a process, by the ordinary path
            {
                Assert.Equal(item.Bytes, (await RawHttpClient.GetOnceAsync(proxy.EndPoint, item.Url)).Body);
                await StoreFiles.WrittenAsync(_directory.Combine("store"), item.Bytes);
            }
        }

        return proxy;
    }

    private async Task AbuseAsync(ServeProcess proxy, int first, int count) =>
        await Parallel.ForEachAsync(Enumerable.Range(first, count), new ParallelOptions { MaxDegreeOfParallelism = 24 }, async (seed, _) =>
        {
            using CancellationTokenSource hang = new(TimeSpan.FromSeconds(60));
            using RawHttpClient client = await RawHttpClient.ConnectAsync(proxy.EndPoint, hang.Token);
            try
            {
                await MisbehaveAsync(client, seed, hang.Token);
            }
            catch (Exception e) when (e is SocketException or EndOfStreamException)
            {
                // The proxy was the first to leave.
            }
        });

    private async Task MisbehaveAsync(RawHttpClient client, int seed, CancellationToken hang)
    {
        Random random = new(seed);
        byte[] hit = RawHttpClient.Request("GET", _small.Path);
        byte[] large = RawHttpClient.Request("GET", _large.Path);
        byte[] ordinary = RawHttpClient.Request("GET", _large.Path, "Range: bytes=0-8388000");
        byte[] miss = RawHttpClient.Request("GET", Missing(seed).Path);
        switch (seed % 12)
        {
            case 0: // reading
                await client.SendAsync(hit.AsMemory(0, random.Next(1, hit.Length)), hang);
                break;
            case 1: // following, or sent already
                await client.SendAsync(miss, hang);
                await Task.Delay(random.Next(3), hang);
                break;
            case 2: // sending
                await client.SendAsync(large, hang);
                await client.ReadExactlyAsync(random.Next(1, 100_000), hang);
                break;
            case 3: // lent, its answer under way
                await client.SendAsync(ordinary, hang);
                await client.ReadExactlyAsync(random.Next(1, 100_000), hang);
                break;
            case 4: // lent for good
                await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nno");
                await client.ReadHeadAsync(hang);
                break;
            case 5: // lingering, and still sending
                await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
                await client.SendAsync(new byte[random.Next(1_000_000)], hang);
                break;
            case 6: // half-closed after a hit and a piece of a head
                await client.SendAsync((byte[])[.. hit, .. hit[..20]], hang);
                client.Socket.Shutdown(SocketShutdown.Send);
                await client.ReadResponseAsync(cancellationToken: hang);
                await client.ReadResponseAsync(cancellationToken: hang);
                break;
            case 7: // hits, misses and requests that are lent in one piece: all answered, in order
                await client.SendAsync((byte[])[.. hit, .. miss, .. ordinary, .. hit], hang);
                Assert.Equal(_small.Bytes, (await client.ReadResponseAsync(cancellationToken: hang)).Body);
                Assert.Equal(Missing(seed).Bytes, (await client.ReadResponseAsync(cancellationToken: hang)).Body);
                Assert.Equal(8_388_001, (await client.ReadResponseAsync(cancellationToken: hang)).Body.Length);
                Assert.Equal(_small.Bytes, (await client.ReadResponseAsync(cancellationToken: hang)).Body);
                return;
            case 8:
                await client.SendAsync(
                    Encoding.Latin1.GetBytes(string.Concat(Enumerable.Range(0, random.Next(1, 300)).Select(_ => (char)random.Next(256)))),
                    hang);
                break;
            case 9: // more requests than are answered in a turn, none of them read
                await client.SendAsync((byte[])[.. Enumerable.Repeat(hit, 200).SelectMany(h => h)], hang);
                break;
            case 10: // goes at once
                break;
            default: // half-closed after a request that is lent
                await client.SendAsync(ordinary, hang);
                client.Socket.Shutdown(SocketShutdown.Send);
                break;
        }

        if (random.Next(2) == 0)
        {
            client.Socket.LingerState = new LingerOption(true, 0); // RST
        }
    }

    private SyntheticObject Missing(int seed) => new SyntheticObject(500 + (seed % 7000), seed + 1000).On(_upstream);

    private static async Task FloodAsync(ServeProcess proxy, byte[] bytes, CancellationToken stop)
    {
        using RawHttpClient client = await RawHttpClient.ConnectAsync(proxy.EndPoint, CancellationToken.None);
        byte[] answers = new byte[1 << 20];
        Task reading = Task.Run(async () =>
        {
            while (await client.Socket.ReceiveAsync(answers, SocketFlags.None, stop) > 0)
            {
            }
        }, CancellationToken.None);
        try
        {
            while (true)
            {
                await client.SendAsync(bytes, stop);
            }
        }
        catch (OperationCanceledException)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        }
    }

    /// <summary>
    /// Until the proxy has none of its clients' sockets any more, and about as many descriptors as before (some are kept for the Stratum
    /// 1).
    /// </summary>
    private static async Task GoneAsync(ServeProcess proxy, int descriptors)
    {
        (int Clients, int All) open = default;
        try
        {
            await Waiting.UntilAsync(() => (open = (ClientSockets(proxy), proxy.Descriptors().Count)).Clients == 0
                && open.All <= descriptors);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"{open.Clients} clients' sockets of {open.All} descriptors are open.");
        }
    }

    /// <summary>Sockets of accepted connections that the process holds.</summary>
    private static int ClientSockets(ServeProcess proxy)
    {
        string port = string.Create(CultureInfo.InvariantCulture, $":{proxy.EndPoint.Port:X4}");
        const string Listening = "0A";
        HashSet<string> accepted =
            [.. File.ReadLines("/proc/net/tcp").Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields[1].EndsWith(port, StringComparison.Ordinal) && fields[3] != Listening)
            .Select(fields => $"socket:[{fields[9]}]")];
        return proxy.Descriptors().Count(accepted.Contains);
    }
}
