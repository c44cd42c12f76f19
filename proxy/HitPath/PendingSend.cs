using System.Net.Sockets;
using Breakwater.CacheStore;

namespace Breakwater.Proxy.HitPath;

/// <summary>What a connection has yet to send of a hit, and the lease that it uses again and again. One flow at a time.</summary>
internal sealed class PendingSend : IDisposable
{
    /// <summary>Whoever takes this many bytes a second is slow, not stuck: the CernVM-FS client's own limit.</summary>
    private const int SlowestBytesPerSecond = 1024;

    private const long StuckMs = 30_000;

    private const int WaitingBytes = 16 << 10;

    private readonly MappedMemory _mapped = new();
    private byte[] _head = [];
    private long _offset;
    private long _end;
    private long _deadline = long.MaxValue; // ms

    /// <summary>
    /// Is an object of this length sent from its file, without a copy (sendfile)? Shorter ones cost less in one gathered send, longer ones less copied: then
    /// client and server share warm memory (measured, docs/adr).
    /// </summary>
    public static bool IsFromFile(long length) => length is >= 128 << 10 and < 1 << 20;

    /// <summary>Held while something is pending; else disposed or null.</summary>
    public ObjectLease? Lease;

    /// <summary>Notes what is left: the end of the head, and the body from <paramref name="offset"/> to <paramref name="end"/>.</summary>
    public void Keep(ReadOnlySpan<byte> head, long offset, long end)
    {
        _head = head.ToArray();
        _offset = offset;
        _end = end;
    }

    /// <summary>Sends the rest, as fast as the client takes it; a client that has closed its own sending side still gets all.</summary>
    /// <exception cref="SocketException">The client is gone, or the bytes cannot be read: end the connection.</exception>
    /// <exception cref="ObjectDisposedException">The connection was aborted.</exception>
    /// <exception cref="IOException">The bytes are no longer mapped: end the connection.</exception>
    public async ValueTask FinishAsync(Socket socket)
    {
        try
        {
            ExpectWithin(_head.Length);
            if (_head.Length > 0)
            {
                await socket.SendAsync(_head, SocketFlags.None);
            }

            while (_offset < _end)
            {
                bool isFull = SendFromFile(socket);
                if (_offset == _end)
                {
                    break;
                }

                if (!Lease!.TryGetMapped(_offset, out MappedRun run))
                {
                    throw new IOException("A mapped object went away while it was sent.");
                }

                // a full socket: this piece waits until there is room, what fits behind it goes from the file again
                run = isFull && run.Length > WaitingBytes ? run with { Length = WaitingBytes } : run;
                ExpectWithin(run.Length);
                await socket.SendAsync(Over(run), SocketFlags.None);
                _offset += run.Length;
            }
        }
        finally
        {
            Volatile.Write(ref _deadline, long.MaxValue);
            _head = [];
            if (_end > 0)
            {
                Lease!.Dispose();
            }
        }
    }

    /// <summary>Has the client taken too long for what is being sent? Any thread may ask.</summary>
    /// <param name="now">Milliseconds of <see cref="Environment.TickCount64"/>.</param>
    public bool IsStuck(long now) => now > Volatile.Read(ref _deadline);

    public void Dispose() => ((IDisposable)_mapped).Dispose();

    /// <summary>Sends from the segment file what the socket takes now. True: it is full.</summary>
    private bool SendFromFile(Socket socket)
    {
        while (IsFromFile(_end) && _offset < _end && Lease!.TryGetFileRange(_offset, out ObjectFileRange range))
        {
            long sent = SocketSender.SendFile(socket, range.Handle, range.FileOffset, Math.Min(range.Length, _end - _offset));
            if (sent == 0)
            {
                return true;
            }

            _offset += sent;
        }

        return false;
    }

    private void ExpectWithin(int bytes) => Volatile.Write(ref _deadline, Environment.TickCount64 + StuckMs + (bytes * 1000L / SlowestBytesPerSecond));

    private unsafe ReadOnlyMemory<byte> Over(MappedRun run) => _mapped.Over((byte*)run.Address, run.Length);
}
