namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// A connection to an origin from which interim answers are taken out, since our HTTP client drops them: only where an answer begins, which
/// is after the first bytes of a new question were written. All else passes as it is. One reader and one writer, as the client has.
/// </summary>
internal sealed class InterimStream(Stream inner) : Stream
{
    /// <summary>A longer head, or more of them, is left to the HTTP client, which has limits of its own.</summary>
    private const int MaxHeadBytes = 16 << 10;
    private const int MaxInterim = 16;

    private volatile InterimQuestion? _question;
    private volatile bool _isAtHead;
    private byte[] _held = [];
    private int _start;
    private int _end;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
        {
            return _start < _end ? 0 : await inner.ReadAsync(buffer, cancellationToken);
        }

        return _start < _end && !_isAtHead ? TakeHeld(buffer.Span) : await ReadHeadAsync(buffer, cancellationToken);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) =>
        _start < _end ? TakeHeld(buffer.AsSpan(offset, count)) : inner.Read(buffer, offset, count);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Note();
        return inner.WriteAsync(buffer, cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count)
    {
        Note();
        inner.Write(buffer, offset, count);
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => inner.Flush();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>A new question begins: its answer is what comes next.</summary>
    private void Note()
    {
        if (InterimQuestion.Current is { } question && question != _question)
        {
            question.IsOnUsedConnection = _question is not null;
            _question = question;
            _isAtHead = true;
        }
    }

    private async ValueTask<int> ReadHeadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (!_isAtHead)
        {
            int plain = await inner.ReadAsync(buffer, cancellationToken);
            if (!_isAtHead)
            {
                return plain;
            }

            // It was waiting for the end of an idle connection when the question was written: this is the answer's beginning.
            Hold(buffer.Span[..plain]);
            if (plain == 0)
            {
                return 0;
            }
        }

        for (int taken = 0; ;)
        {
            int length = InterimHead.Find(_held.AsSpan(_start.._end), out bool mayGrow);
            if (length > 0 && taken++ < MaxInterim)
            {
                byte[] head = _held[_start..(_start + length)];
                _start += length;
                if (_question?.Receiver is { } receiver && InterimHead.Relayed(head) is { } relayed)
                {
                    await receiver.SendAsync(relayed);
                }

                continue;
            }

            if (!mayGrow || _end - _start >= MaxHeadBytes || taken >= MaxInterim || !await FillAsync(cancellationToken))
            {
                _isAtHead = false;
                return TakeHeld(buffer.Span);
            }
        }
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        byte[] more = new byte[4096];
        int read = await inner.ReadAsync(more, cancellationToken);
        Hold(more.AsSpan(0, read));
        return read > 0;
    }

    private void Hold(ReadOnlySpan<byte> bytes)
    {
        _held = [.. _held.AsSpan(_start.._end), .. bytes];
        _start = 0;
        _end = _held.Length;
    }

    private int TakeHeld(Span<byte> buffer)
    {
        int count = Math.Min(buffer.Length, _end - _start);
        _held.AsSpan(_start, count).CopyTo(buffer);
        _start += count;
        if (_start == _end)
        {
            (_held, _start, _end) = ([], 0, 0);
        }

        return count;
    }
}
