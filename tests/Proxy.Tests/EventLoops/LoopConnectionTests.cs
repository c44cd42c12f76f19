using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Breakwater.Proxy.EventLoops;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Connections;
using static Breakwater.Proxy.Tests.EventLoops.LoopsUnderTest;

namespace Breakwater.Proxy.Tests.EventLoops;

/// <summary>A client's connection on its loop: what is answered there, what Kestrel gets, and how it ends.</summary>
public sealed class LoopConnectionTests
{
    private static readonly TimeSpan s_soon = TimeSpan.FromMilliseconds(20);

    [Fact]
    public async Task Requests_ForTheLoopAndForKestrel_AreAnsweredInTheirOrderOnOneConnection()
    {
        await using var loops = new LoopsUnderTest();
        using RawHttpClient client = await loops.ConnectAsync();
        await client.SendAsync(Get("/kestrel/1") + Get("/here") + Get("/kestrel/2"));
        await using ConnectionContext lent = await loops.LentAsync();
        Assert.Equal(Get("/kestrel/1"), await ReadAsync(lent));
        Assert.Equal(["/kestrel/1"], loops.Responder.Seen);

        await WriteAsync(lent, Answer("/kestrel/1"));
        Assert.Equal(Get("/kestrel/2"), await ReadAsync(lent));
        await WriteAsync(lent, Answer("/kestrel/2"));
        Task<string> after = ReadAsync(lent);

        await AnsweredAsync(client, ["/kestrel/1", "/here", "/kestrel/2"]);
        Assert.Equal(1, loops.Group.Connections);
        client.Dispose();
        Assert.Equal("", await after.InTimeAsync());
        await loops.ConnectedAsync(0);
    }

    /// <summary>What is doubtful is Kestrel's with all that follows.</summary>
    [Fact]
    public async Task Request_ThatIsDoubtful_IsKestrelsForGood()
    {
        await using var loops = new LoopsUnderTest();
        using RawHttpClient client = await loops.ConnectAsync();
        const string Post = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n";
        await client.SendAsync(Post);
        await using ConnectionContext lent = await loops.LentAsync();
        Assert.Equal(Post, await ReadAsync(lent));

        Task<string> more = ReadAsync(lent);
        await client.SendAsync("abc" + Get("/here"));
        Assert.Equal("abc" + Get("/here"), await more.InTimeAsync());
        Assert.Empty(loops.Responder.Seen);
        more = ReadAsync(lent);
        client.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal("", await more.InTimeAsync());
        await lent.DisposeAsync();
        Assert.True(await client.IsClosedByServerAsync());
        Assert.False(client.WasReset);
        await loops.ConnectedAsync(0);
    }

    [Fact]
    public async Task Client_WhomTheSettingsRefuse_IsKestrelsFromTheBeginning()
    {
        await using var loops = new LoopsUnderTest();
        loops.Responder.Allows = client => !client.Equals(IPAddress.Loopback);
        using RawHttpClient client = await loops.ConnectAsync();
        await using ConnectionContext lent = await loops.LentAsync();
        Task<string> read = ReadAsync(lent);
        await client.SendAsync(Get("/here"));

        Assert.Equal(Get("/here"), await read.InTimeAsync());
        Assert.Empty(loops.Responder.Seen);
    }

    /// <summary>It is told so, and what still comes of it is thrown away.</summary>
    [Fact]
    public async Task Head_ThatIsNotWholeInTime_IsRefusedAndNeverServed()
    {
        await using var loops = new LoopsUnderTest(headTimeout: s_soon);
        Task<ConnectionContext?> lent = loops.Listener.AcceptAsync(CancellationToken.None).AsTask();
        using RawHttpClient client = await loops.ConnectAsync();
        await client.SendAsync("GET /here HT");

        byte[] told = await loops.SweepUntilAsync(client.ReadExactlyAsync(ScriptedResponder.LateHead.Length));
        Assert.Equal(ScriptedResponder.LateHead, Encoding.ASCII.GetString(told));
        await client.SendAsync("TP/1.1\r\nHost: h\r\n\r\n");
        Assert.True(await client.IsClosedByServerAsync());
        client.Dispose();
        await loops.ConnectedAsync(0);

        Assert.Empty(loops.Responder.Seen);
        Assert.False(lent.IsCompleted);
        await loops.Listener.UnbindAsync().AsTask().InTimeAsync(); // it holds up no stop
        Assert.Null(await lent.InTimeAsync());
    }

    /// <summary>The kernel tells of input once: a receive that fills its room is followed by another.</summary>
    [Fact]
    public async Task Requests_OfMoreBytesThanOneReceiveTakes_AreAllAnswered()
    {
        await using var loops = new LoopsUnderTest();
        using var gate = new ManualResetEventSlim();
        loops.Responder.Begin = (target, _) =>
        {
            Assert.True(target != "/first" || gate.Wait(Waiting.Hang));
            return null;
        };
        using RawHttpClient client = await loops.ConnectAsync();
        await client.SendAsync(Get("/first"));
        await Waiting.UntilAsync(() => !loops.Responder.Seen.IsEmpty);
        string one = $"GET /x HTTP/1.1\r\nHost: h\r\nX: {new string('x', 1000)}\r\n\r\n";
        await client.SendAsync(string.Concat(Enumerable.Repeat(one, 50)));
        await Waiting.UntilAsync(() => SocketSender.QueuedBytes((int)client.Socket.Handle) == 0); // the loop's kernel has them
        gate.Set();

        await AnsweredAsync(client, ["/first", .. Enumerable.Repeat("/x", 50)]);
    }

    [Fact]
    public async Task Requests_ManyInARow_AreAllAnswered()
    {
        await using var loops = new LoopsUnderTest();
        using RawHttpClient client = await loops.ConnectAsync();
        string[] targets = [.. Enumerable.Range(0, 100).Select(i => $"/{i}")];
        await client.SendAsync(string.Concat(targets.Select(Get)));

        await AnsweredAsync(client, targets);
        Assert.Equal(targets, loops.Responder.Seen);
    }

    /// <summary>A stop lets what has begun come to its end, with the requests that have come by then.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Stop_WhileAnAnswerIsUnderWay_ItAndTheRequestBehindItAreAnswered(bool isAnotherBehind)
    {
        await using var loops = new LoopsUnderTest();
        var gate = new TaskCompletionSource();
        ScriptedAnswer? slow = null;
        loops.Responder.Begin = (target, _) => target == "/slow"
            ? slow = new ScriptedAnswer(
                socket => gate.Task.IsCompleted ? ScriptedAnswer.Send(socket, Answer(target)) : AnswerProgress.Starved, gate.Task)
            : null;
        using RawHttpClient client = await loops.ConnectAsync();
        await client.SendAsync(Get("/slow") + (isAnotherBehind ? Get("/behind") : ""));
        await Waiting.UntilAsync(() => !loops.Responder.Seen.IsEmpty);
        Task stop = loops.Listener.UnbindAsync().AsTask();
        Assert.False(stop.IsCompleted);
        gate.SetResult();

        string[] targets = isAnotherBehind ? ["/slow", "/behind"] : ["/slow"];
        await AnsweredAsync(client, targets);
        Assert.True(await client.IsClosedByServerAsync());
        await stop.InTimeAsync();
        Assert.Equal(AnswerEnd.Sent, await slow!.Ended.Task.InTimeAsync());
    }

    /// <summary>Those who come to wait for what has happened already are told as well, and all of those who wait together.</summary>
    [Fact]
    public async Task Answers_ThatWaitForTheSame_AllGoOn()
    {
        await using var loops = new LoopsUnderTest();
        var change = new TaskCompletionSource();
        loops.Responder.Begin = (target, _) =>
        {
            bool hasWaited = false;
            return new ScriptedAnswer(
                socket =>
                {
                    if (hasWaited)
                    {
                        return ScriptedAnswer.Send(socket, Answer(target));
                    }

                    hasWaited = true;
                    return AnswerProgress.Starved;
                },
                change.Task);
        };
        RawHttpClient[] clients = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => loops.ConnectAsync()));
        await Task.WhenAll(clients.Select(client => client.SendAsync(Get("/a"))));
        await Waiting.UntilAsync(() => loops.Responder.Seen.Count == clients.Length);
        change.SetResult();

        foreach (RawHttpClient client in clients)
        {
            await AnsweredAsync(client, ["/a"]);
            await client.SendAsync(Get("/b"));
            await AnsweredAsync(client, ["/b"]);
            client.Dispose();
        }
    }

    [Fact]
    public async Task Answer_ThatPausesOrIsStarvedOfRoom_GoesOnInItsTurn()
    {
        await using var loops = new LoopsUnderTest();
        byte[] much = new byte[8 << 20];
        new Random(1).NextBytes(much);
        int at = 0;
        int turns = 0;
        var answer = new ScriptedAnswer(socket =>
        {
            if (++turns % 2 == 0)
            {
                return AnswerProgress.Paused;
            }

            int sent = SocketSender.Send(socket, much.AsSpan(at, Math.Min(100_000, much.Length - at)), hasMore: false);
            at += sent;
            return at == much.Length ? AnswerProgress.Done : sent < 100_000 ? AnswerProgress.Full : AnswerProgress.Paused;
        });
        loops.Responder.Begin = (target, _) => target == "/much" ? answer : null;
        using RawHttpClient client = await loops.ConnectAsync();
        await client.SendAsync(Get("/much") + Get("/behind"));

        byte[] received = await client.ReadExactlyAsync(much.Length);
        Assert.True(much.AsSpan().SequenceEqual(received));
        await AnsweredAsync(client, ["/behind"]);
        Assert.Equal(AnswerEnd.Sent, await answer.Ended.Task.InTimeAsync());
    }

    [Fact]
    public async Task Answer_ThatIsNotGivenHere_IsKestrelsWithAllThatWasBegun()
    {
        await using var loops = new LoopsUnderTest();
        await using var work = new MemoryStream();
        loops.Responder.Begin = (target, _) => target == "/given-away"
            ? new ScriptedAnswer(_ => AnswerProgress.ForKestrel, hasBegun: false) { Begun = new BegunRequest(work, 42) } : null;
        using RawHttpClient client = await loops.ConnectAsync();
        await client.SendAsync(Get("/given-away") + Get("/behind"));
        await using ConnectionContext lent = await loops.LentAsync();
        Assert.Equal(Get("/given-away"), await ReadAsync(lent));
        IBegunRequestFeature begun = lent.Features.Get<IBegunRequestFeature>()!;

        Assert.Equal((42L, 0L), (begun.TakeStart(), begun.TakeStart()));
        Assert.Same(work, begun.TakeWork());
        Assert.Null(begun.TakeWork());
        await WriteAsync(lent, Answer("/given-away"));
        Task<string> after = ReadAsync(lent);
        await AnsweredAsync(client, ["/given-away", "/behind"]);
        Assert.False(after.IsCompleted);
    }

    /// <summary>One that has begun must not look as if it had come to its end.</summary>
    [Theory]
    [InlineData("io", "Failed", true)]
    [InlineData("socket", "ClientGone", true)]
    [InlineData("fault", "ClientGone", true)]
    [InlineData("client", "ClientGone", false)]
    public async Task Answer_ThatCannotGoOn_EndsWithItsConnection(string why, string end, bool isReset)
    {
        await using var loops = new LoopsUnderTest();
        var answer = new ScriptedAnswer(
            _ => why switch
            {
                "io" => throw new IOException("gone"),
                "socket" => throw new SocketException((int)SocketError.ConnectionReset),
                "fault" => throw new InvalidOperationException("a fault"),
                _ => AnswerProgress.Starved,
            },
            new TaskCompletionSource().Task);
        loops.Responder.Begin = (_, _) => answer;
        using RawHttpClient client = await loops.ConnectAsync();
        await client.SendAsync(Get("/x"));
        if (!isReset)
        {
            await Waiting.UntilAsync(() => !loops.Responder.Seen.IsEmpty);
            client.Reset();
        }

        Assert.Equal(end, (await answer.Ended.Task.InTimeAsync()).ToString());
        await loops.ConnectedAsync(0);
        Assert.True(!isReset || await client.IsClosedByServerAsync());
        Assert.Equal(isReset, client.WasReset);
        Assert.Equal(why == "fault" ? 1 : 0, loops.Log.Said.Count);
    }

    /// <summary>Kestrel's own limit does not see it: it gets a reset, and what Kestrel does for it ends.</summary>
    [Fact]
    public async Task Client_ThatTakesNothingOfKestrelsAnswer_IsCut()
    {
        await using var loops = new LoopsUnderTest(clientTimeout: s_soon);
        using RawHttpClient client = await loops.ConnectAsync();
        await client.SendAsync(Get("/kestrel"));
        ConnectionContext lent = await loops.LentAsync();
        await ReadAsync(lent);
        Task<FlushResult> write = lent.Transport.Output.WriteAsync(new byte[16 << 20]).AsTask();

        Assert.True((await loops.SweepUntilAsync(write)).IsCompleted);
        await Waiting.UntilAsync(() => lent.ConnectionClosed.IsCancellationRequested);
        await lent.DisposeAsync();
        await loops.ConnectedAsync(0);
    }

    [Fact]
    public async Task Connections_BeyondTheMost_AreClosedUntilOneHasLeft()
    {
        await using var loops = new LoopsUnderTest(maxConnections: 1);
        using (RawHttpClient first = await loops.ConnectAsync())
        {
            await first.SendAsync(Get("/first"));
            await AnsweredAsync(first, ["/first"]);
            using RawHttpClient second = await loops.ConnectAsync();
            Assert.True(await second.IsClosedByServerAsync());
        }

        await loops.ConnectedAsync(0);
        using RawHttpClient third = await loops.ConnectAsync();
        await third.SendAsync(Get("/third"));
        await AnsweredAsync(third, ["/third"]);
        Assert.Equal(["/first", "/third"], loops.Responder.Seen);
    }

    [Fact]
    public async Task Balancer_ThatSaysWhoAsks_IsBelievedOnceItsHeaderIsWhole()
    {
        await using var loops = new LoopsUnderTest(naming: ["127.0.0.0/8"]);
        var clients = new ConcurrentQueue<IPAddress>();
        loops.Responder.Begin = (_, connection) =>
        {
            clients.Enqueue(connection.Client);
            return null;
        };
        using RawHttpClient balancer = await loops.ConnectAsync();
        await balancer.SendAsync("PROXY TCP4 10.1.2.3 ");
        await loops.ConnectedAsync(1);
        await balancer.SendAsync("127.0.0.1 1 2\r\n" + Get("/a"));
        await AnsweredAsync(balancer, ["/a"]);
        await balancer.SendAsync(Get("/b"));
        await AnsweredAsync(balancer, ["/b"]);
        Assert.Equal([IPAddress.Parse("10.1.2.3"), IPAddress.Parse("10.1.2.3")], clients);

        using RawHttpClient other = await loops.ConnectAsync();
        await other.SendAsync(Get("/c"));
        Assert.Equal("HTTP/1.1 400 Missing", (await other.ReadHeadAsync()).StatusLine);
        Assert.True(await other.IsClosedByServerAsync());
        other.Dispose();
        balancer.Dispose();
        await loops.ConnectedAsync(0);
        Assert.Equal(["/a", "/b"], loops.Responder.Seen);
    }

    /// <summary>The next answers are to these requests, in this order.</summary>
    private static async Task AnsweredAsync(RawHttpClient client, params string[] targets)
    {
        foreach (string target in targets)
        {
            Assert.Equal(target, (await client.ReadHeadAsync()).Header("X-Target"));
        }
    }
}
