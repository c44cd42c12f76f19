using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Faults;

/// <summary>SIGTERM and a new process under load, with the listening socket kept open as systemd's socket activation keeps it.</summary>
[Collection(ServeProcess.OneAtATime)]
public sealed class RestartTests : IAsyncLifetime
{
    private const int Restarts = 2;
    private const int Clients = 8;

    private static readonly TimeSpan s_farewell = TimeSpan.FromSeconds(3);

    /// <summary>So that a client whose machine is busy with other tests is not taken for an idle one.</summary>
    private static readonly (string, string)[] s_patient =
        [("Proxy:Farewell", $"{s_farewell:c}"), ("Proxy:DrainTimeout", "00:00:30"), ("Proxy:AnswerTimeout", "00:00:20"),
        ("Proxy:FirstByteTimeout", "00:00:10")];

    private readonly TemporaryDirectory _directory = new();
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _upstream.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Restart_UnderLoad_NoRequestFailsExitCodeIsZeroAndTheStoreIsKept()
    {
        SyntheticObject[] items =
            [.. Enumerable.Range(0, 4_000).Select(i => new SyntheticObject(500 + (i * 37 % 60_000), i).On(_upstream))];
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(4096);
        ServeProcess proxy = await ServeProcess.StartAsync(_directory.Combine("store"), [_upstream], listener, s_patient);
        try
        {
            using CancellationTokenSource stop = new();
            int[] reached = new int[Clients];
            Task<int>[] clients = [.. Enumerable.Range(0, Clients).Select(n => Task.Run(() => LoadAsync(n)))];
            int expected = 0;
            for (int restart = 0; restart < Restarts; restart++)
            {
                expected += 40;
                await ReachedAsync(expected);
                Assert.Equal(0, await proxy.TerminateAsync());
                await proxy.DisposeAsync();
                proxy = await ServeProcess.StartAsync(_directory.Combine("store"), [_upstream], listener, s_patient);
            }

            expected = reached.Max() + 40;
            await ReachedAsync(expected);
            await stop.CancelAsync();
            int requests = (await Task.WhenAll(clients)).Sum();
            Assert.True(requests >= Clients * Restarts * 40, $"{requests} requests");

            // What they were given is in the store: it was committed at each end.
            _upstream.Everything = UpstreamBehaviour.WithStatus(503);
            Assert.Equal(0, await proxy.TerminateAsync());
            await proxy.DisposeAsync();
            proxy = await ServeProcess.StartAsync(_directory.Combine("store"), [_upstream], listener, s_patient);
            using RawHttpClient last = await RawHttpClient.ConnectAsync(proxy.EndPoint);
            for (int i = 0; i < Math.Min(200, reached[0]); i++)
            {
                SyntheticObject item = items[Pick(0, i)];
                Assert.Equal(item.Bytes, (await last.GetAsync(item.Url)).Body);
            }

            async Task ReachedAsync(int count)
            {
                await Waiting.UntilAsync(async () =>
                {
                    await Task.WhenAll(clients.Where(c => c.IsFaulted)); // Throws what a client has met.
                    return reached.Min() >= count;
                });
            }

            // A client as the client of CernVM-FS is: it keeps its connection until it is told to close it. One that does not run for as
            // long as good-bye is said, on a busy machine, finds it closed, and asks on another.
            async Task<int> LoadAsync(int number)
            {
                RawHttpClient? client = null;
                long answeredAt = 0;
                int i = 0;
                for (; !stop.IsCancellationRequested; i++)
                {
                    SyntheticObject item = items[Pick(number, i)];
                    using CancellationTokenSource hang = new(TimeSpan.FromSeconds(30));
                    client ??= await RawHttpClient.ConnectAsync(listener.LocalEndPoint!, hang.Token);
                    RawResponse response;
                    try
                    {
                        await client.SendAsync(RawHttpClient.Request("GET", item.Url), hang.Token);
                        response = await client.ReadResponseAsync(cancellationToken: hang.Token);
                    }
                    catch (IOException) when (answeredAt != 0 && Stopwatch.GetElapsedTime(answeredAt) >= s_farewell)
                    {
                        client.Dispose();
                        (client, answeredAt) = (null, 0);
                        i--;
                        continue;
                    }

                    answeredAt = Stopwatch.GetTimestamp();
                    Assert.True(response.Status == 200 && response.IsComplete && item.Bytes.AsSpan().SequenceEqual(response.Body),
                        $"{response.Head.StatusLine} for {item.Path}");
                    if ("close".Equals(response.Header("Connection"), StringComparison.OrdinalIgnoreCase))
                    {
                        client.Dispose();
                        (client, answeredAt) = (null, 0);
                    }

                    Volatile.Write(ref reached[number], i + 1);
                }

                client?.Dispose();
                return i;
            }
        }
        finally
        {
            await proxy.DisposeAsync();
        }

        // Every fourth request is for something new, the others for what was asked for before.
        int Pick(int number, int i) => (i % 4 == 0 ? (i / 4 * Clients) + number : i * 7 % Math.Max(1, i / 4 * Clients)) % items.Length;
    }

    [Fact]
    public async Task Drain_ResponseUnderWay_IsFinishedThenTheProcessEndsWithZero()
    {
        SyntheticObject item = new SyntheticObject(6 << 20).On(_upstream);
        Gate gate = new();
        _upstream.Script(item.Path, UpstreamBehaviour.WaitsAt(4 << 20, gate));
        await using ServeProcess proxy = await ServeProcess.StartAsync(
            _directory.Combine("store"), [_upstream], null, ("Proxy:FirstByteTimeout", "00:00:30"), ("Proxy:FetchPatience", "00:00:30"),
            ("Proxy:DrainTimeout", "00:00:30"));
        using RawHttpClient client = await RawHttpClient.ConnectAsync(proxy.EndPoint);
        await client.SendAsync(RawHttpClient.Request("GET", item.Url));
        RawResponseHead head = await client.ReadHeadAsync();
        byte[] first = await client.ReadExactlyAsync(1 << 20);

        Task<int> ending = proxy.TerminateAsync();
        await RefusedAsync(proxy.EndPoint);
        gate.Open();
        byte[] rest = await client.ReadExactlyAsync((6 << 20) - first.Length);

        Assert.Equal(200, head.Status);
        Assert.True(item.Bytes.AsSpan().SequenceEqual([.. first, .. rest]));
        Assert.Equal(0, await ending);
    }

    /// <summary>So that a balancer, or Kubernetes, sends no more clients while those that come are still answered.</summary>
    [Fact]
    public async Task Drain_FromItsFirstMoment_HealthIsUnreadyWhileClientsAreStillAnswered()
    {
        SyntheticObject item = new SyntheticObject(2_000).On(_upstream);
        await using ServeProcess proxy = await ServeProcess.StartAsync(
            _directory.Combine("store"), [_upstream], null, ("Proxy:Farewell", "00:00:30"), ("Proxy:DrainTimeout", "00:01:00"));
        using HttpClient admin = new() { BaseAddress = new Uri(await File.ReadAllTextAsync(_directory.Combine("store", "admin.address"))) };
        Assert.Equal(HttpStatusCode.OK, await ReadyAsync());

        Task<int> ending = proxy.TerminateAsync();
        await Waiting.UntilAsync(async () => await ReadyAsync() == HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(25));

        RawResponse answer = await RawHttpClient.GetOnceAsync(proxy.EndPoint, item.Url);
        Assert.Equal(item.Bytes, answer.Body);
        Assert.Equal("close", answer.Header("Connection"));
        await proxy.DisposeAsync();
        await ending.ContinueWith(static _ => { }, TaskScheduler.Default);

        async Task<HttpStatusCode> ReadyAsync()
        {
            using HttpResponseMessage response = await admin.GetAsync(new Uri("/healthz/ready", UriKind.Relative)).InTimeAsync();
            return response.StatusCode;
        }
    }

    /// <summary>So that nobody waits for the next process while this one is still there.</summary>
    [Fact]
    public async Task Drain_OfASocketThatIsKept_WhoComesDuringTheFarewellIsAnswered()
    {
        SyntheticObject item = new SyntheticObject(2_000).On(_upstream);
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(16);
        await using ServeProcess proxy = await ServeProcess.StartAsync(
            _directory.Combine("store"), [_upstream], listener, ("Proxy:Farewell", "00:00:30"), ("Proxy:DrainTimeout", "00:01:00"));

        Task<int> ending = proxy.TerminateAsync();
        await Waiting.UntilAsync(async () =>
        {
            RawResponse answer = await RawHttpClient.GetOnceAsync(proxy.EndPoint, item.Url);
            Assert.Equal(item.Bytes, answer.Body);
            return answer.Header("Connection") == "close";
        });

        // It drains, and takes who connects.
        Assert.Equal(item.Bytes, (await RawHttpClient.GetOnceAsync(proxy.EndPoint, item.Url)).Body);
        await proxy.DisposeAsync();
        await ending.ContinueWith(static _ => { }, TaskScheduler.Default);
    }

    /// <summary>Who was accepted has the whole farewell for its request; then it keeps nobody waiting.</summary>
    [Fact]
    public async Task Drain_OfASocketThatIsKept_ClientThatSaysNothingDoesNotHoldItUp()
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(16);
        await using ServeProcess proxy = await ServeProcess.StartAsync(
            _directory.Combine("store"), [_upstream], listener, ("Proxy:Farewell", "00:00:00.2"));
        using RawHttpClient silent = await RawHttpClient.ConnectAsync(proxy.EndPoint);

        Assert.Equal(0, await proxy.TerminateAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Drain_ClientsThatWouldTakeForEver_AreCutAtTheTimeoutAndTheProcessEndsWithZero(bool rawPath)
    {
        SyntheticObject held = new SyntheticObject(24 << 20, 1).On(_upstream);
        SyntheticObject growing = new SyntheticObject(6 << 20, 2).On(_upstream);
        SyntheticObject silent = new SyntheticObject(3_000, 3).On(_upstream);
        _upstream.Script(growing.Path, UpstreamBehaviour.StallsAt(4 << 20));
        _upstream.Script(silent.Path, UpstreamBehaviour.NeverAnswers);
        using Socket tunnelled = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        tunnelled.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        tunnelled.Listen();
        await using ServeProcess proxy = await ServeProcess.StartAsync(
            _directory.Combine("store"),
            [_upstream],
            null,
            ("Proxy:DrainTimeout", "00:00:02"),
            ("Proxy:RawPath", rawPath.ToString()),
            ("Proxy:FirstByteTimeout", "00:01:00"),
            ("Proxy:AnswerTimeout", "00:01:00"),
            ("Proxy:FetchPatience", "00:10:00"),
            ("Proxy:RequestHeadTimeout", "00:05:00"),
            ("Access:Connect:0", tunnelled.LocalEndPoint!.ToString()!),
            ("Access:AllowedUpstreams:0", "127.0.0.1/32"));
        Assert.Equal(200, (await RawHttpClient.GetOnceAsync(proxy.EndPoint, held.Url)).Status);

        // One reads nothing more, one waits for bytes, one for an answer, one sends half a head, one is in a tunnel.
        using RawHttpClient lazy = await ConnectAsync();
        lazy.Socket.ReceiveBufferSize = 16 << 10;
        await lazy.SendAsync(RawHttpClient.Request("GET", held.Url));
        await lazy.ReadHeadAsync();
        using RawHttpClient waiting = await ConnectAsync();
        await waiting.SendAsync(RawHttpClient.Request("GET", growing.Url));
        await waiting.ReadHeadAsync();
        await waiting.ReadExactlyAsync(1 << 20);
        using RawHttpClient unanswered = await ConnectAsync();
        await unanswered.SendAsync(RawHttpClient.Request("GET", silent.Url));
        await _upstream.RequestsArrivedAsync(silent.Path);
        using RawHttpClient halfSaid = await ConnectAsync();
        await halfSaid.SendAsync("GET http://s1.exa");
        using RawHttpClient tunnel = await ConnectAsync();
        await tunnel.SendAsync($"CONNECT {tunnelled.LocalEndPoint} HTTP/1.1\r\nHost: {tunnelled.LocalEndPoint}\r\n\r\n");
        using Socket otherEnd = await tunnelled.AcceptAsync().InTimeAsync();
        Assert.Equal(200, (await tunnel.ReadHeadAsync()).Status);

        Assert.Equal(0, await proxy.TerminateAsync());
        Assert.InRange(await RestAsync(lazy), 0, held.Bytes.Length - 1);
        Assert.InRange(await RestAsync(waiting), 0, 3 << 20);
        Assert.Equal(0, await RestAsync(tunnel));

        Task<RawHttpClient> ConnectAsync() => RawHttpClient.ConnectAsync(proxy.EndPoint);

        static async Task<int> RestAsync(RawHttpClient client)
        {
            byte[] buffer = new byte[64 << 10];
            int sum = 0;
            for (int read; (read = await client.ReadSomeAsync(buffer)) > 0; sum += read)
            {
            }

            return sum;
        }
    }

    /// <summary>Until nobody accepts connections there any more.</summary>
    private static Task RefusedAsync(IPEndPoint endPoint) => Waiting.UntilAsync(async () =>
    {
        try
        {
            (await RawHttpClient.ConnectAsync(endPoint)).Dispose();
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    });
}
