using System.IO.Pipelines;
using Breakwater.Proxy.EventLoops.KestrelSide;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.EventLoops;

/// <summary>Kestrel's output on a real socket: what is out when a flush is complete, and how one ends that nobody takes.</summary>
public sealed class DirectWriterTests : IDisposable
{
    private const int Much = 16 << 20; // more than two sockets hold

    private readonly ConnectedSockets _sockets = new();
    private readonly DirectWriter _writer;

    public DirectWriterTests() => _writer = new DirectWriter(_sockets.Descriptor);

    public void Dispose() => _sockets.Dispose();

    [Fact]
    public async Task Flush_OfSeveralBlocks_SendsThemInTheirOrder()
    {
        byte[] bytes = Fill(10_000, 3000);
        Assert.Equal((true, 10_000L, 0L), (_writer.CanGetUnflushedBytes, _writer.UnflushedBytes, _writer.SentBytes));

        FlushResult flushed = await _writer.FlushAsync().InTimeAsync();

        Assert.Equal((false, false, 0L, 10_000L), (flushed.IsCompleted, flushed.IsCanceled, _writer.UnflushedBytes, _writer.SentBytes));
        Assert.False(_writer.WaitsForRoom);
        Assert.Equal(bytes, _sockets.Receive(10_000));
        Assert.False((await _writer.FlushAsync().InTimeAsync()).IsCompleted); // nothing
        Assert.Equal(10_000, _writer.SentBytes);
    }

    [Fact]
    public void GetMemory_OfAnyLength_HasAsMuchAndGoesOnInIt()
    {
        _writer.Advance(0); // though there is no memory yet
        Assert.InRange(_writer.GetMemory().Length, 1, int.MaxValue);
        _writer.Advance(0);
        Assert.Equal(0, _writer.UnflushedBytes);
        Memory<byte> first = _writer.GetMemory(100);
        _writer.Advance(1);
        Assert.Equal(1, _writer.UnflushedBytes);
        _writer.Advance(39);
        Assert.Equal(first.Length - 40, _writer.GetMemory(1).Length); // the rest of it
        Assert.InRange(_writer.GetSpan(100_000).Length, 100_000, int.MaxValue);
        _writer.Advance(7);
        Assert.Equal(47, _writer.UnflushedBytes);
        Assert.Throws<ArgumentOutOfRangeException>(() => _writer.Advance(int.MaxValue));
        _writer.Complete();
        Assert.Equal(0, _writer.UnflushedBytes);
    }

    [Fact]
    public async Task Flush_ToOneWhoReadsSlowly_IsCompleteWhenAllIsOut()
    {
        byte[] bytes = Fill(Much, 1 << 20);
        Task<FlushResult> flush = _writer.FlushAsync().AsTask();
        await Waiting.UntilAsync(() => _writer.WaitsForRoom);
        Assert.False(flush.IsCompleted);
        Assert.InRange(_writer.SentBytes, 1, Much - 1);

        byte[] received = _sockets.Receive(Much, _writer.HasRoom);

        Assert.False((await flush.InTimeAsync()).IsCompleted);
        Assert.Equal((0L, (long)Much, false), (_writer.UnflushedBytes, _writer.SentBytes, _writer.WaitsForRoom));
        Assert.True(bytes.AsSpan().SequenceEqual(received));
    }

    [Theory]
    [InlineData("break")]
    [InlineData("cancel")]
    [InlineData("token")]
    public async Task Flush_ThatIsGivenUp_IsTheLastOfTheConnection(string how)
    {
        using var cancel = new CancellationTokenSource();
        Fill(Much, 1 << 20);
        Task<FlushResult> flush = _writer.FlushAsync(cancel.Token).AsTask();
        await Waiting.UntilAsync(() => _writer.WaitsForRoom);
        switch (how)
        {
            case "break":
                _writer.Break();
                break;
            case "cancel":
                _writer.CancelPendingFlush();
                break;
            default:
                await cancel.CancelAsync();
                break;
        }

        Assert.True((await flush.InTimeAsync()).IsCompleted);
        Assert.Equal((false, 0L), (_writer.WaitsForRoom, _writer.UnflushedBytes));
        long sent = _writer.SentBytes;
        Fill(10, 10);
        Assert.True((await _writer.FlushAsync().InTimeAsync()).IsCompleted);
        Assert.Equal((0L, sent), (_writer.UnflushedBytes, _writer.SentBytes));
    }

    [Fact]
    public async Task CancelPendingFlush_WhileNothingIsPending_IsNothing()
    {
        _writer.CancelPendingFlush();
        byte[] bytes = Fill(10, 10);

        Assert.False((await _writer.FlushAsync().InTimeAsync()).IsCompleted);
        Assert.Equal(bytes, _sockets.Receive(10));
    }

    [Fact]
    public async Task Flush_AfterTheEnd_SendsNothing()
    {
        _writer.Complete();
        Fill(10, 10);

        Assert.True((await _writer.FlushAsync().InTimeAsync()).IsCompleted);
        Assert.Equal((0L, 0L), (_writer.UnflushedBytes, _writer.SentBytes));
    }

    [Fact]
    public async Task Complete_WhileAFlushWaits_LeavesItItsBytes()
    {
        byte[] bytes = Fill(Much, 1 << 20);
        Task<FlushResult> flush = _writer.FlushAsync().AsTask();
        await Waiting.UntilAsync(() => _writer.WaitsForRoom);
        _writer.Complete();
        byte[] received = _sockets.Receive(Much, _writer.HasRoom);

        await flush.InTimeAsync();
        Assert.True(bytes.AsSpan().SequenceEqual(received));
    }

    [Fact]
    public async Task Flush_ToOneWhoIsGone_IsTheLast()
    {
        _sockets.Reset();
        bool isCompleted = false;
        for (int i = 0; i < 3 && !isCompleted; i++)
        {
            Fill(10, 10);
            isCompleted = (await _writer.FlushAsync().InTimeAsync()).IsCompleted;
        }

        Assert.True(isCompleted);
        Assert.Equal(0, _writer.UnflushedBytes);
    }

    private byte[] Fill(int count, int piece)
    {
        byte[] bytes = new byte[count];
        new Random(1).NextBytes(bytes);
        for (int at = 0; at < count; at += piece)
        {
            int length = Math.Min(piece, count - at);
            bytes.AsSpan(at, length).CopyTo(_writer.GetSpan(length));
            _writer.Advance(length);
        }

        return bytes;
    }
}
