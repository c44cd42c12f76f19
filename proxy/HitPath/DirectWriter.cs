using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;

namespace Breakwater.Proxy.HitPath;

/// <summary>
/// The output of a connection that the hit path shares with Kestrel: a flush is complete only when the kernel has every byte. (The transport's own pipe
/// completes earlier, and says nowhere when it has drained, so sends of our own could overtake it.) Used by one flow at a time, as every pipe
/// writer; only <see cref="CancelPendingFlush"/> and <see cref="Complete"/> may come from elsewhere.
/// </summary>
internal sealed class DirectWriter(Socket socket, PipeWriter transport) : PipeWriter
{
    private const int BlockBytes = 4096;

    private readonly List<(byte[] Bytes, int Written)> _blocks = [];
    private readonly Lock _gate = new();
    private CancellationTokenSource? _waiting;   // guarded by _gate: a flush waits for the client
    private bool _isBroken;
    private volatile bool _isFlushing;
    private volatile bool _isComplete;

    /// <summary>Bytes that the kernel does not have yet: then nothing else may be sent.</summary>
    public bool HasPending => _isFlushing || UnflushedBytes > 0;

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
            (byte[] bytes, int written) = _blocks[i];
            int sent;
            try
            {
                using SocketSender.HeldDescriptor held = new(socket);
                sent = SocketSender.Send(held.Value, bytes.AsSpan(0, written), hasMore: i < _blocks.Count - 1);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
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
        lock (_gate)
        {
            _waiting?.Cancel();
        }
    }

    public override void Complete(Exception? exception = null)
    {
        _isComplete = true;
        if (!_isFlushing)
        {
            Drop();
        }

        transport.Complete(exception);
    }

    private async ValueTask<FlushResult> FlushSlowlyAsync(int block, int sent, CancellationToken cancellationToken)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        lock (_gate)
        {
            _waiting = waiting;
        }

        _isFlushing = true;
        try
        {
            for (; block < _blocks.Count; block++, sent = 0)
            {
                (byte[] bytes, int written) = _blocks[block];
                if (sent < written)
                {
                    await socket.SendAsync(bytes.AsMemory(sent, written - sent), SocketFlags.None, waiting.Token);
                }
            }

            Drop();
            return default;
        }
        catch (OperationCanceledException)
        {
            // Part of a block may be out: nothing more can follow on this connection.
            return Broken();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return Broken();
        }
        finally
        {
            _isFlushing = false;
            lock (_gate)
            {
                _waiting = null;
            }
        }
    }

    private FlushResult Broken()
    {
        _isBroken = true;

        // The blocks may still be in the kernel's hands: they are left to the garbage collector.
        _blocks.Clear();
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
