using System.IO.Pipelines;
using Breakwater.Proxy.Listening;
using Microsoft.AspNetCore.Connections;

namespace Breakwater.Proxy.Tests.Listening;

/// <summary>Records of one answer go to the socket together.</summary>
public sealed class HeldFlushesTests
{
    private readonly Pipe _socket = new();

    [Fact]
    public async Task Write_InSeveralRecords_GoesOutWithItsFlush()
    {
        var flushes = new HeldFlushes(_socket.Writer);
        await using var stream = new WholeWrites(new Records(flushes), flushes);

        await stream.WriteAsync(new byte[] { 1, 2, 3 });
        bool wasEarly = _socket.Reader.TryRead(out _);
        await stream.FlushAsync();

        Assert.False(wasEarly);
        Assert.True(_socket.Reader.TryRead(out ReadResult read));
        Assert.Equal([1, 2, 3], System.Buffers.BuffersExtensions.ToArray(read.Buffer));
    }

    [Fact]
    public void Write_WithoutWaiting_GoesOutWithItsFlushAsWell()
    {
        var flushes = new HeldFlushes(_socket.Writer);
        using var stream = new WholeWrites(new Records(flushes), flushes);

        stream.Write([1, 2, 3]);
        bool wasEarly = _socket.Reader.TryRead(out _);
        stream.Flush();

        Assert.False(wasEarly);
        Assert.True(_socket.Reader.TryRead(out ReadResult read));
        Assert.Equal([1, 2, 3], System.Buffers.BuffersExtensions.ToArray(read.Buffer));
    }

    /// <summary>Below TLS each connection has its own, and what the transport was before is there again when it ends.</summary>
    [Fact]
    public async Task Wrap_OfAConnection_StandsBelowItWhileItLasts()
    {
        var pair = new Pair(new Pipe().Reader, _socket.Writer);
        var connection = new DefaultConnectionContext("c", pair, pair);
        HeldFlushes? held = null;
        await HeldFlushes.Wrap(async inner =>
        {
            held = inner.Features.Get<HeldFlushes>();
            Assert.Same(held, inner.Transport.Output);
            Assert.Same(pair.Input, inner.Transport.Input);
            held!.Hold();
            await inner.Transport.Output.WriteAsync(new byte[] { 1 });
            Assert.False(_socket.Reader.TryRead(out _));
            held.Release();
            await inner.Transport.Output.FlushAsync();
        })(connection);

        Assert.NotNull(held);
        Assert.Same(pair, connection.Transport);
        Assert.True(_socket.Reader.TryRead(out _));
    }

    [Fact]
    public async Task Handshake_BeforeAnyWrite_GoesOutAtOnce()
    {
        var flushes = new HeldFlushes(_socket.Writer);

        await flushes.WriteAsync(new byte[] { 1 });

        Assert.True(_socket.Reader.TryRead(out _));
    }

    /// <summary>As TLS does: each byte is a record, flushed by itself.</summary>
    private sealed class Records(PipeWriter below) : MemoryStream
    {
        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            for (int i = 0; i < buffer.Length; i++)
            {
                await below.WriteAsync(buffer.Slice(i, 1), cancellationToken);
            }
        }

        public override async Task FlushAsync(CancellationToken cancellationToken) => await below.FlushAsync(cancellationToken);

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            foreach (byte one in buffer)
            {
                below.GetSpan(1)[0] = one;
                below.Advance(1);
                Flush();
            }
        }

        // What is below completes at once, as a socket's pipe does while it has room.
        public override void Flush() => Assert.True(below.FlushAsync().AsTask().IsCompletedSuccessfully);
    }

    private sealed record Pair(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
