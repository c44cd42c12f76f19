using System.Net.Sockets;
using Breakwater.CacheStore;

namespace Breakwater.Proxy.HitPath;

/// <summary>What a connection has yet to send of a hit, and the lease that it uses again and again. One flow at a time.</summary>
internal sealed class PendingSend : IDisposable
{
    private readonly MappedMemory _mapped = new();
    private byte[] _head = [];
    private long _offset;
    private long _end;

    /// <summary>Held while something is pending; else disposed or null.</summary>
    public ObjectLease? Lease;

    /// <summary>Notes what is left: the end of the head, and the body from <paramref name="offset"/> to <paramref name="end"/>.</summary>
    public void Keep(ReadOnlySpan<byte> head, long offset, long end)
    {
        _head = head.ToArray();
        _offset = offset;
        _end = end;
    }

    /// <summary>Sends the rest, as fast as the client takes it.</summary>
    /// <exception cref="SocketException">The client is gone, or the bytes cannot be read: end the connection.</exception>
    /// <exception cref="IOException">The bytes are no longer mapped: end the connection.</exception>
    public async ValueTask FinishAsync(Socket socket, CancellationToken cancellationToken)
    {
        try
        {
            if (_head.Length > 0)
            {
                await socket.SendAsync(_head, SocketFlags.None, cancellationToken);
            }

            while (_offset < _end)
            {
                if (!Lease!.TryGetMapped(_offset, out MappedRun run))
                {
                    throw new IOException("A mapped object went away while it was sent.");
                }

                await socket.SendAsync(Over(run), SocketFlags.None, cancellationToken);
                _offset += run.Length;
                Moved = Environment.TickCount64;
            }
        }
        finally
        {
            _head = [];
            if (_end > 0)
            {
                Lease!.Dispose();
            }
        }
    }

    /// <summary>When a part went out last, in milliseconds of <see cref="Environment.TickCount64"/>.</summary>
    public long Moved { get; set; }

    public void Dispose() => ((IDisposable)_mapped).Dispose();

    private unsafe ReadOnlyMemory<byte> Over(MappedRun run) => _mapped.Over((byte*)run.Address, run.Length);
}
