using System.IO.Pipelines;
using Breakwater.Proxy.Listening;

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
    }
}
