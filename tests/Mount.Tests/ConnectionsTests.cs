using System.Net;
using System.Net.Sockets;
using System.Text;
using Breakwater.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Mount.Tests;

/// <summary>What a connection carries, how long it is waited for, and what is kept of it.</summary>
public sealed class ConnectionsTests
{
    private const string Kept = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

    [Theory]
    [InlineData(Kept, 1)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 1)]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", 2)]
    [InlineData(Kept + "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong", 2)]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 2)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n01234567890", 2)]
    public async Task Try_AfterAnAnswer_UsesTheConnectionAgainWhereAllOfItWasRead(string answer, int connections)
    {
        using var server = new CannedServer(answer, Kept);
        using var downloads = new Downloads(new Routes([], TimeProvider.System), TimeProvider.System);
        await GetAsync(server, downloads);
        Assert.Equal((null, "hello"), await GetAsync(server, downloads));
        Assert.Equal(connections, server.Connections);
    }

    /// <summary>An answer without a length ends with its connection, which takes no place among those that are kept.</summary>
    [Fact]
    public async Task Try_OfAnAnswerThatEndsWithTheConnection_HangsUp()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var downloads = new Downloads(new Routes([], TimeProvider.System), TimeProvider.System);
        Task<string?> trying =
            downloads.TryAsync(new Route($"http://{listener.LocalEndpoint}", null), "x", 10, isAgain: false, _ => { });
        using Socket peer = await listener.AcceptSocketAsync().InTimeAsync();
        byte[] buffer = new byte[4096];
        Assert.NotEqual(0, await peer.ReceiveAsync(buffer).InTimeAsync());
        await peer.SendAsync("HTTP/1.1 200 OK\r\n\r\nhello"u8.ToArray());
        peer.Shutdown(SocketShutdown.Send);

        Assert.Null(await trying.InTimeAsync());
        Assert.Equal(0, await peer.ReceiveAsync(buffer).InTimeAsync());
    }

    [Theory]
    [InlineData("0123456789", null)]
    [InlineData("01234567890", "more than 10 bytes")]
    public async Task Try_OfAsMuchAsIsAllowed_HasIt(string body, string? expected)
    {
        using var server = new CannedServer($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}");
        using var downloads = new Downloads(new Routes([], TimeProvider.System), TimeProvider.System);
        Assert.Equal((expected, expected is null ? body : ""), await GetAsync(server, downloads));
    }

    /// <summary>A head of 16 KiB is one, in lines and in one line; a longer one is refused before all of it came.</summary>
    [Theory]
    [InlineData(1, 15_000, true)]
    [InlineData(1, 17_000, false)]
    [InlineData(15, 1000, true)]
    [InlineData(17, 1000, false)]
    public async Task Try_OfALongHead_TakesSixteenKibibytes(int lines, int length, bool isTaken)
    {
        string head = string.Concat(Enumerable.Repeat($"X: {new string('x', length)}\r\n", lines));
        using var server = new CannedServer($"HTTP/1.1 200 OK\r\n{head}Content-Length: 5\r\n\r\nhello#");
        using var downloads = new Downloads(new Routes([], TimeProvider.System), TimeProvider.System);
        (string? problem, string text) = await GetAsync(server, downloads);
        Assert.Equal(isTaken, problem is null);
        Assert.Equal(isTaken ? "hello" : "", text);
    }

    [Fact]
    public async Task Try_OfALineWithoutEnd_IsRefusedBeforeTheServerHasSaidAll()
    {
        await using ScriptedUpstream server = ScriptedUpstream.Start();
        server.Everything = new UpstreamBehaviour { RawAnswer = Encoding.ASCII.GetBytes(new string('x', 200_000)), KeepsConnection = true };
        using var downloads = new Downloads(new Routes([], TimeProvider.System), TimeProvider.System);
        Assert.Equal(
            "a line of the answer is too long",
            await downloads.TryAsync(new Route(server.Address + "r", null), "x", 10, isAgain: false, _ => { }).InTimeAsync());
    }

    [Fact]
    public async Task Try_ByManyAtOnce_KeepsSixteenConnections()
    {
        await using ScriptedUpstream server = ScriptedUpstream.Start();
        server.Put("/r/x", "hello"u8.ToArray());
        Gate gate = new();
        server.Everything = UpstreamBehaviour.WaitsBeforeHead(gate);
        using (var downloads = new Downloads(new Routes([], TimeProvider.System), TimeProvider.System))
        {
            var route = new Route(server.Address + "r", null);
            Task<string?>[] all = [.. Enumerable.Range(0, 18)
                .Select(_ => downloads.TryAsync(route, "x", 10, isAgain: false, _ => { }))];
            await server.RequestsArrivedAsync("/r/x", 18);
            gate.Open();
            Assert.All(await Task.WhenAll(all).InTimeAsync(), Assert.Null);
            await Waiting.UntilAsync(() => server.ConnectionsOpen <= 16);
            Assert.Null(await downloads.TryAsync(route, "x", 10, isAgain: false, _ => { }).InTimeAsync());
            Assert.Equal((18, 16), (server.ConnectionsAccepted, server.ConnectionsOpen));
        }

        await Waiting.UntilAsync(() => server.ConnectionsOpen == 0);
    }

    /// <summary>Connections are kept by host and port: what is another server's is not used.</summary>
    [Fact]
    public async Task Try_OfAnotherServer_HasItsOwnConnection()
    {
        using var first = new CannedServer(Kept, Kept);
        using var second = new CannedServer(Kept);
        using var downloads = new Downloads(new Routes([], TimeProvider.System), TimeProvider.System);
        await GetAsync(first, downloads);
        Assert.Equal((null, "hello"), await GetAsync(second, downloads));
        Assert.Equal((null, "hello"), await GetAsync(first, downloads));
        Assert.Equal((1, 1), (first.Connections, second.Connections));
    }

    [Fact]
    public async Task Try_WhenNothingComesForFiveSeconds_GivesUpAndTheRouteRests()
    {
        await using ScriptedUpstream server = ScriptedUpstream.Start();
        server.Everything = UpstreamBehaviour.NeverAnswers;
        FakeTimeProvider time = new();
        List<Route> all = [new Route(server.Address + "r", null), new Route("http://other", null)];
        var routes = new Routes(all, time);
        using var downloads = new Downloads(routes, time);
        Task<string?> trying = downloads.TryAsync(all[0], "x", 10, isAgain: false, _ => { });
        await server.RequestsArrivedAsync("/r/x");
        time.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromMilliseconds(1));
        Assert.False(trying.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal("nothing came for 5 s", await trying.InTimeAsync());
        Assert.Equal([all[1], all[0]], routes.InOrder());
    }

    /// <summary>Every byte starts the five seconds anew: a slow answer comes whole.</summary>
    [Fact]
    public async Task Try_WhileSomethingComes_GoesOn()
    {
        await using ScriptedUpstream server = ScriptedUpstream.Start();
        server.Put("/r/x", "hello"u8.ToArray());
        Gate head = new();
        Gate second = new();
        Gate last = new();
        server.Everything = new UpstreamBehaviour { HeadGate = head, BodyGates = [(1, second), (4, last)] };
        FakeTimeProvider time = new();
        using var downloads = new Downloads(new Routes([], time), time);
        int came = 0;
        Task<string?> trying = downloads.TryAsync(
            new Route(server.Address + "r", null), "x", 10, isAgain: false, bytes => Interlocked.Add(ref came, bytes.Length));
        foreach ((Gate gate, int before) in new[] { (head, 0), (second, 1), (last, 4) })
        {
            await gate.Reached;
            await Waiting.UntilAsync(() => Volatile.Read(ref came) == before);
            time.Advance(TimeSpan.FromSeconds(4));
            gate.Open();
        }

        Assert.Null(await trying.InTimeAsync());
        Assert.Equal(5, came);
    }

    [Theory]
    [InlineData(404, false)]
    [InlineData(499, false)]
    [InlineData(500, true)]
    [InlineData(503, true)]
    public async Task Try_OfAnErrorStatus_LetsTheRouteRestWhereTheServerIsAtFault(int status, bool rests)
    {
        await using ScriptedUpstream server = ScriptedUpstream.Start();
        server.Everything = UpstreamBehaviour.WithStatus(status);
        List<Route> all = [new Route(server.Address + "r", null), new Route("http://other", null)];
        var routes = new Routes(all, TimeProvider.System);
        using var downloads = new Downloads(routes, TimeProvider.System);
        Assert.Equal($"status {status}", await downloads.TryAsync(all[0], "x", 10, isAgain: false, _ => { }));
        Assert.Equal(rests ? all[1] : all[0], routes.InOrder()[0]);
    }

    private static async Task<(string? Problem, string Text)> GetAsync(CannedServer server, Downloads downloads)
    {
        var text = new StringBuilder();
        void Take(ReadOnlyMemory<byte> bytes) => text.Append(Encoding.ASCII.GetString(bytes.Span));
        string? problem = await downloads.TryAsync(new Route(server.Address, null), "x", 10, isAgain: false, Take).InTimeAsync();
        return (problem, text.ToString());
    }
}
