using System.Net;
using System.Net.Sockets;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.EventLoops.KestrelSide;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Connections;

namespace Breakwater.Proxy.Tests.EventLoops;

/// <summary>Kestrel's side of a lent connection: how each of the two ends it, and what the client sees of that.</summary>
public sealed class OrdinaryConnectionTests : IDisposable
{
    private readonly ConnectedSockets _sockets = new();
    private readonly OrdinaryConnection _connection;
    private int _news;

    public OrdinaryConnectionTests() => _connection = Lend();

    public void Dispose() => _sockets.Dispose();

    [Fact]
    public void Connection_HasBothEnds()
    {
        Assert.Equal("L1", _connection.ConnectionId);
        Assert.Equal(_sockets.Receiver.RemoteEndPoint, _connection.LocalEndPoint);
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 7), _connection.RemoteEndPoint);
        Assert.False(_connection.IsOver || _connection.IsAborted || _connection.IsWaiting || _connection.WaitsForRoom);
    }

    /// <summary>An answer that is cut must not look like one that has come to its end.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Connection_ThatIsCut_IsResetAndNothingMoreIsSentOrRead(bool isKestrels)
    {
        Task<bool> read = EndOfInputAsync();
        if (isKestrels)
        {
            _connection.Abort(new ConnectionAbortedException("enough"));
        }
        else
        {
            _connection.Cut();
        }

        SocketException reset = Assert.Throws<SocketException>(() => _sockets.Receiver.Receive(new byte[1]));
        Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
        Assert.Equal((true, false), (_connection.IsAborted, _connection.IsOver));
        Assert.True(await read.InTimeAsync());
        Assert.True((await _connection.Transport.Output.WriteAsync(new byte[1]).InTimeAsync()).IsCompleted);
        await Waiting.UntilAsync(() => _connection.ConnectionClosed.IsCancellationRequested);
    }

    [Fact]
    public async Task Dismiss_WhileNothingIsUnderWay_IsAnEndInOrder()
    {
        Task<bool> read = EndOfInputAsync();
        _connection.Dismiss();

        Assert.Equal(0, _sockets.Receiver.Receive(new byte[1]));
        Assert.True(_connection.IsAborted);
        Assert.True(await read.InTimeAsync());
        await Waiting.UntilAsync(() => _connection.ConnectionClosed.IsCancellationRequested);
    }

    /// <summary>The descriptor may be another connection's by then.</summary>
    [Fact]
    public async Task Detach_AndWhateverComesLater_LeavesTheSocketAlone()
    {
        Task<bool> read = EndOfInputAsync();
        _connection.Detach();
        _connection.Cut();
        _connection.Dismiss();
        _connection.Abort(new ConnectionAbortedException("too late"));
        Assert.True((await _connection.Transport.Output.WriteAsync("x"u8.ToArray()).InTimeAsync()).IsCompleted);

        Assert.Equal((true, false), (_connection.IsOver, _connection.IsAborted));
        Assert.True(await read.InTimeAsync());
        _sockets.Sender.Send("y"u8);
        Assert.Equal("y"u8.ToArray(), _sockets.Receive(1));
    }

    [Fact]
    public async Task Work_ThatNobodyTakes_IsDisposedWithTheNextRequestAndAtTheEnd()
    {
        var (first, second) = (new Work(), new Work());
        Assert.Null(_connection.TakeWork());
        _connection.Announce(new BegunRequest(first, 42));
        Assert.Equal((42L, 0L, false), (_connection.TakeStart(), _connection.TakeStart(), first.IsDisposed));
        _connection.Announce(new BegunRequest(second, 43));
        Assert.Equal((true, false), (first.IsDisposed, second.IsDisposed));
        Assert.Equal(0, _news);

        await _connection.DisposeAsync();

        Assert.Equal((true, true, 1, 0L), (second.IsDisposed, _connection.IsOver, _news, _connection.TakeStart()));
    }

    /// <summary>Nobody accepts it any more: the loop is to close it.</summary>
    [Fact]
    public async Task Offer_AfterTheListenersEnd_EndsTheConnection()
    {
        await using var loops = new LoopsUnderTest();
        OrdinaryConnection early = Lend();
        loops.Listener.Offer(early);
        Assert.Same(early, await loops.LentAsync());
        await loops.Listener.UnbindAsync().AsTask().InTimeAsync();
        Assert.Null(await loops.Listener.AcceptAsync().InTimeAsync());
        Assert.Equal((false, 0), (early.IsOver, _news));

        loops.Listener.Offer(_connection);

        Assert.Equal((true, true, 1), (_connection.IsOver, _connection.IsAborted, _news));
    }

    private OrdinaryConnection Lend() =>
        new(_sockets.Descriptor, "L1", new IPEndPoint(IPAddress.Loopback, 7), () => Interlocked.Increment(ref _news));

    /// <summary>Is the next that Kestrel reads the end?</summary>
    private async Task<bool> EndOfInputAsync()
    {
        Task<System.IO.Pipelines.ReadResult> read = _connection.Transport.Input.ReadAsync().AsTask();
        Assert.Equal(1, Interlocked.Exchange(ref _news, 0)); // it waits
        return (await read).IsCompleted;
    }

    private sealed class Work : IAsyncDisposable
    {
        public bool IsDisposed { get; private set; }

        public ValueTask DisposeAsync()
        {
            IsDisposed = true;
            return ValueTask.CompletedTask;
        }
    }
}
