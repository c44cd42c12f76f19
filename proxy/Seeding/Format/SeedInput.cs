namespace Breakwater.Proxy.Seeding.Format;

/// <summary>
/// A bundle as it comes, from a file or a pipe: buffered, forward only, and it knows how far it is. Not thread-safe; the stream stays the
/// caller's.
/// </summary>
internal sealed class SeedInput(Stream stream)
{
    private readonly byte[] _buffer = new byte[256 << 10];
    private int _start;
    private int _end;

    /// <summary>Bytes handed out so far.</summary>
    public long Offset { get; private set; }

    /// <summary>Reads at least one byte; 0 at the end.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (_start == _end)
        {
            if (destination.Length >= _buffer.Length)
            {
                int direct = await stream.ReadAsync(destination, cancellationToken);
                Offset += direct;
                return direct;
            }

            _start = 0;
            _end = await stream.ReadAsync(_buffer, cancellationToken);
        }

        int count = Math.Min(destination.Length, _end - _start);
        _buffer.AsMemory(_start, count).CopyTo(destination);
        _start += count;
        Offset += count;
        return count;
    }

    /// <summary>Fills the destination. False: the end came first.</summary>
    public async ValueTask<bool> ReadFullyAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        while (!destination.IsEmpty)
        {
            int read = await ReadAsync(destination, cancellationToken);
            if (read == 0)
            {
                return false;
            }

            destination = destination[read..];
        }

        return true;
    }
}
