using System.Diagnostics;
using System.Text;
using Breakwater.Laboratory.Client;
using Breakwater.Proxy.Commands.Demo;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Commands;

/// <summary>One connection of the demo's machines: what it takes for an answer, and for how long it waits.</summary>
public sealed class VmConnectionTests : IAsyncLifetime
{
    private static readonly byte[] s_right = [.. Enumerable.Range(0, 20_000).Select(i => (byte)i)]; // longer than the buffer
    private readonly ScriptedUpstream _server = ScriptedUpstream.Start();
    private readonly BootRequest _request = new(0, "/cvmfs/os.lab.example/file", s_right);
    private readonly PhaseTally _tally = new(BootPlan.Create(["/cvmfs/os.lab.example/file"], _ => s_right));
    private VmConnection _connection = null!;

    public Task InitializeAsync()
    {
        _server.Put(_request.Path, s_right);
        _connection = new VmConnection(_server.EndPoint, null, _tally);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        _connection.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Fetch_OfRightAnswers_GoesOnOnOneConnection()
    {
        Assert.Equal(Failure.None, await FetchAsync());
        _server.Everything = new UpstreamBehaviour { Chunked = true };
        Assert.Equal(Failure.None, await FetchAsync());
        Assert.Equal((200, 1), (_connection.LastStatus, _server.ConnectionsAccepted));
        Assert.True(_tally.BytesReceived > 2 * s_right.Length);

        foreach (UpstreamBehaviour behaviour in (UpstreamBehaviour[])
            [new() { CloseAfterAnswer = true }, new() { EndsWithConnection = true }])
        {
            int before = _server.ConnectionsAccepted;
            _server.Everything = behaviour;
            Assert.Equal(Failure.None, await FetchAsync());
            _server.Everything = UpstreamBehaviour.Default;
            Assert.Equal(Failure.None, await FetchAsync());
            Assert.Equal(before + 1, _server.ConnectionsAccepted);
        }
    }

    [Fact]
    public async Task Fetch_OfAWrongAnswer_IsThatFailureAndTheNextBeginsAnew()
    {
        byte[] longHead = Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nX: " + new string('x', 17_000));
        byte[] badChunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"u8.ToArray();
        foreach ((UpstreamBehaviour behaviour, Failure failure, int status) in ((UpstreamBehaviour, Failure, int)[])
        [
            (new() { FlipBitAt = 19_999 }, Failure.WrongDocument, 200),
            (UpstreamBehaviour.Doubled, Failure.WrongDocument, 200),
            (UpstreamBehaviour.TruncatesAt(19_999), Failure.Broken, 200),
            (new() { GzipEncode = true }, Failure.WrongBody, 200),
            (UpstreamBehaviour.NotHttp, Failure.NotHttp, 0),
            (UpstreamBehaviour.CloseWithoutAnswer, Failure.Broken, 0),
            (UpstreamBehaviour.ResetWithoutAnswer, Failure.Broken, 0),
            (UpstreamBehaviour.WithStatus(403), Failure.Refused, 403),
            (UpstreamBehaviour.WithStatus(502), Failure.ServerError, 502),
            (new() { RawAnswer = longHead }, Failure.Broken, 0),
            (new() { RawAnswer = badChunk }, Failure.Broken, 200),
        ])
        {
            _server.Everything = behaviour;
            Assert.Equal((failure, status), (await FetchAsync(), _connection.LastStatus));
            _server.Heal();

            Assert.Equal((Failure.None, 200), (await FetchAsync(), _connection.LastStatus));
        }
    }

    /// <summary>libcurl asks once more on a new connection when the one it had was closed while it was idle.</summary>
    [Fact]
    public async Task Fetch_OnAConnectionThatWasClosedMeanwhile_AsksOnAnother()
    {
        Assert.Equal(Failure.None, await FetchAsync());
        _server.ScriptNext(_request.Path, UpstreamBehaviour.CloseWithoutAnswer);

        Assert.Equal(Failure.None, await FetchAsync());
        Assert.Equal((2, 3), (_server.ConnectionsAccepted, _server.Requests.Count));
        _server.ScriptNext(_request.Path, UpstreamBehaviour.CloseWithoutAnswer, UpstreamBehaviour.CloseWithoutAnswer);
        Assert.Equal(Failure.Broken, await FetchAsync());
    }

    /// <summary>Looked at once a second: five seconds without a byte are too long, and the fifth look is not the sixth.</summary>
    [Theory]
    [InlineData(5, false)]
    [InlineData(6, true)]
    public async Task Look_AtAnAnswerThatDoesNotCome_CutsItAfterFiveSeconds(int looks, bool isCut)
    {
        var gate = new Gate();
        _server.Everything = UpstreamBehaviour.WaitsBeforeHead(gate);
        Task<Failure> fetching = FetchAsync();
        await gate.Reached;

        long now = ClockUs();
        for (int second = 1; second <= looks; second++)
        {
            _connection.Look(now + (second * 1_000_000L));
        }

        if (!isCut)
        {
            gate.Open();
        }

        Assert.Equal(isCut ? Failure.TooSlow : Failure.None, await fetching.InTimeAsync());
        Assert.Equal(isCut ? "no or too few bytes for 5 s" : "", _connection.LastFailure);
        gate.Open();
    }

    [Fact]
    public async Task Look_AtAConnectionThatIsIdle_LeavesIt()
    {
        Assert.Equal(Failure.None, await FetchAsync());
        long now = ClockUs();
        for (int second = 1; second <= 10; second++)
        {
            _connection.Look(now + (second * 1_000_000L));
        }

        Assert.Equal(Failure.None, await FetchAsync());
        Assert.Equal(1, _server.ConnectionsAccepted);
    }

    private static long ClockUs() => (long)(Stopwatch.GetTimestamp() * (1e6 / Stopwatch.Frequency));

    private Task<Failure> FetchAsync() => _connection.FetchAsync(_request, 0, noCache: false).InTimeAsync();
}
