using Breakwater.CacheStore;

namespace Breakwater.Proxy.Fetching;

/// <summary>A stored object as a stream: read-only, seekable. Disposes the lease.</summary>
internal sealed class LeaseStream(ObjectLease lease) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => lease.Length;

    public override long Position { get; set; }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty || Position >= lease.Length)
        {
            return 0;
        }

        int read = lease.TryRead(Position, buffer);
        if (read < 0)
        {
            byte[] copy = new byte[Math.Min(buffer.Length, 128 << 10)];
            read = lease.ReadAsync(Position, copy).AsTask().GetAwaiter().GetResult();
            copy.AsSpan(0, read).CopyTo(buffer);
        }

        Position += read;
        return read;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty || Position >= lease.Length)
        {
            return 0;
        }

        int read = lease.TryRead(Position, buffer.Span);
        if (read < 0)
        {
            read = await lease.ReadAsync(Position, buffer, cancellationToken);
        }

        Position += read;
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => lease.Length + offset,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            lease.Dispose();
        }

        base.Dispose(disposing);
    }
}
