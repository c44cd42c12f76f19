using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;

namespace Breakwater.Proxy.EventLoops.KestrelSide;

/// <summary>
/// Kestrel's output on a socket that it shares with the hit path: a flush is complete only when the kernel has every byte, so that nothing
/// sent after it overtakes it. Used by one flow at a time, as every pipe writer; only <see cref="HasRoom"/>, <see cref="Break"/>,
/// <see cref="CancelPendingFlush"/> and <see cref="Complete"/> may come from elsewhere.
/// </summary>
/// <param name="socket">A descriptor that does not block, open until this was broken or completed.</param>
internal sealed class DirectWriter(int socket) : PipeWriter
{
    private const int BlockBytes = 4096;

    private readonly List<(byte[] Bytes, int Written)> _blocks = [];
    private readonly Lock _gate = new();
    private TaskCompletionSource? _room;        // guarded by _gate: a flush waits for the client
    private bool _mustStop;                     // guarded by _gate
    private volatile bool _isBroken;
    private volatile bool _isFlushing;
    private volatile bool _isComplete;
    private long _sentBytes;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes
    {
        get
        {
            long bytes = 0;
            foreach ((_, int written) in _blocks)
            {
                bytes += written;
            }

            return bytes;
        }
    }

    /// <summary>Does a flush wait for the client? Any thread.</summary>
    public bool WaitsForRoom => _isFlushing;

    /// <summary>Bytes that the socket has taken. Any thread.</summary>
    public long SentBytes => Volatile.Read(ref _sentBytes);

    /// <summary>The socket takes bytes again.</summary>
    public void HasRoom() => EndWait(mustStop: false);

    /// <summary>Nothing more can be sent.</summary>
    public void Break()
    {
        _isBroken = true;
        EndWait(mustStop: true);
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (_blocks.Count == 0 || _blocks[^1].Bytes.Length - _blocks[^1].Written < Math.Max(1, sizeHint))
        {
            _blocks.Add((ArrayPool<byte>.Shared.Rent(Math.Max(BlockBytes, sizeHint)), 0));
        }

        (byte[] bytes, int written) = _blocks[^1];
        return bytes.AsMemory(written);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        if (bytes == 0)
        {
            return;
        }

        (byte[] block, int written) = _blocks[^1];
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, block.Length - written);
        _blocks[^1] = (block, written + bytes);
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (_isBroken || _isComplete)
        {
            Drop();
            return ValueTask.FromResult(new FlushResult(false, isCompleted: true));
        }

        for (int i = 0; i < _blocks.Count; i++)
        {
            int written = _blocks[i].Written;
            if (!TrySend(i, 0, out int sent))
            {
                return ValueTask.FromResult(Broken());
            }

            if (sent < written)
            {
                return FlushSlowlyAsync(i, sent, cancellationToken);
            }
        }

        Drop();
        return ValueTask.FromResult(default(FlushResult));
    }

    public override void CancelPendingFlush()
    {
        if (_isFlushing)
        {
            EndWait(mustStop: true);
        }
    }

    public override void Complete(Exception? exception = null)
    {
        _isComplete = true;
        if (!_isFlushing)
        {
            Drop();
        }
    }

    private bool TrySend(int block, int from, out int sent)
    {
        (byte[] bytes, int written) = _blocks[block];
        try
        {
            sent = SocketSender.Send(socket, bytes.AsSpan(from, written - from), hasMore: block < _blocks.Count - 1);
            Volatile.Write(ref _sentBytes, _sentBytes + sent);
            return true;
        }
        catch (SocketException)
        {
            sent = 0;
            return false;
        }
    }

    private async ValueTask<FlushResult> FlushSlowlyAsync(int block, int sent, CancellationToken cancellationToken)
    {
        _isFlushing = true;
        try
        {
            using CancellationTokenRegistration registration =
                cancellationToken.UnsafeRegister(static state => ((DirectWriter)state!).EndWait(mustStop: true), this);
            while (block < _blocks.Count)
            {
                // Registered before the send that finds the socket full: the loop tells of room only once, and only after that.
                Task? room = NextRoom();
                if (room is null || !TrySend(block, sent, out int more))
                {
                    return Broken();
                }

                sent += more;
                if (sent == _blocks[block].Written)
                {
                    (block, sent) = (block + 1, 0);
                }
                else if (more == 0)
                {
                    await room;
                }
            }

            Drop();
            return default;
        }
        finally
        {
            _isFlushing = false;
            lock (_gate)
            {
                _room = null;
                _mustStop = _isBroken;
            }
        }
    }

    /// <summary>Completes at the next news of room. Null: no more is to be sent.</summary>
    private Task? NextRoom()
    {
        lock (_gate)
        {
            if (_mustStop)
            {
                return null;
            }

            if (_room is null or { Task.IsCompleted: true })
            {
                _room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            return _room.Task;
        }
    }

    private void EndWait(bool mustStop)
    {
        lock (_gate)
        {
            _mustStop |= mustStop;
            _room?.TrySetResult();
        }
    }

    private FlushResult Broken()
    {
        // Part of a block may be out: nothing more can follow on this connection.
        _isBroken = true;
        Drop();
        return new FlushResult(false, isCompleted: true);
    }

    private void Drop()
    {
        foreach ((byte[] bytes, _) in _blocks)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }

        _blocks.Clear();
    }
}
