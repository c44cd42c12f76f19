using System.Net.Sockets;
using Breakwater.CacheStore;

namespace Breakwater.Proxy.HitPath;

/// <summary>What a connection has yet to send of a hit, and the lease that it uses again and again. One flow at a time.</summary>
internal sealed class PendingSend : IDisposable
{
    /// <summary>Whoever takes this many bytes a second is slow, not stuck: the CernVM-FS client's own limit.</summary>
    private const int SlowestBytesPerSecond = 1024;

    private const long StuckMs = 30_000;

    /// <summary>What is shorter is copied into the socket: a copy costs no more than a call there.</summary>
    public const int ZeroCopyBytes = 128 << 10;

    private const int WaitingBytes = 16 << 10;

    /// <summary>Then others get their turn on this thread.</summary>
    private const int TurnBytes = 4 << 20;

    private readonly MappedMemory _mapped = new();
    private byte[] _head = [];
    private long _offset;
    private long _end;
    private long _deadline = long.MaxValue; // ms

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

    /// <summary>Sends from the segment file, without a copy, what the socket takes now, up to a turn. True: it is full.</summary>
    private bool SendFromFile(Socket socket)
    {
        for (long turn = 0; _end - _offset >= ZeroCopyBytes && turn < TurnBytes;)
        {
            if (!Lease!.TryGetFileRange(_offset, out ObjectFileRange range))
            {
                return false;
            }

            long sent = SocketSender.SendFile(socket, range.Handle, range.FileOffset, Math.Min(range.Length, _end - _offset));
            if (sent == 0)
            {
                return true;
            }

            _offset += sent;
            turn += sent;
        }

        return false;
    }

    private void ExpectWithin(int bytes) => Volatile.Write(ref _deadline, Environment.TickCount64 + StuckMs + (bytes * 1000L / SlowestBytesPerSecond));

    private unsafe ReadOnlyMemory<byte> Over(MappedRun run) => _mapped.Over((byte*)run.Address, run.Length);
}
