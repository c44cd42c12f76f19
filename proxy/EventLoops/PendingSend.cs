using System.Net.Sockets;
using Breakwater.CacheStore;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.EventLoops;

/// <summary>What a connection has yet to send of a hit, and the lease that it uses again and again. One flow at a time.</summary>
internal sealed class PendingSend
{
    /// <summary>Parts of a gathered send: 4 MiB, more than a socket takes at once.</summary>
    private const int PiecesAtOnce = 16;

    private ReadOnlyMemory<byte> _head;
    private long _offset;
    private long _end;
    private ClientWatch _client = ClientWatch.Resting;

    /// <summary>
    /// Is an object of this length sent from its file, without a copy (sendfile)? Shorter ones cost less in one gathered send, longer ones
    /// less copied: then client and server share warm memory (measured, docs/develop/adr).
    /// </summary>
    public static bool IsFromFile(long length) => length is >= 128 << 10 and < 1 << 20;

    /// <summary>The answer's record, as if everything were out; for when it has ended.</summary>
    public RequestRecord Record { get; set; }

    /// <summary>The repository under which it was asked for.</summary>
    public RepositoryRoute? Repository { get; set; }

    /// <summary>May the rest be had from elsewhere? Only of an object, whose head is out.</summary>
    public bool IsResumable => _end > 0 && _head.Length == 0 && Repository is not null;

    /// <summary>Body bytes that are out.</summary>
    public long Sent => Record.BytesSent - (_end > 0 ? _end - _offset : Math.Min(_head.Length, Record.BytesSent));

    /// <summary>Held while something is pending; else disposed or null.</summary>
    public ObjectLease? Lease;

    /// <summary>Notes what is left: the end of the head, and the body from <paramref name="offset"/> to <paramref name="end"/>.</summary>
    public void Keep(ReadOnlySpan<byte> head, long offset, long end)
    {
        _head = head.ToArray();
        _offset = offset;
        _end = end;
    }

    /// <summary>Has the client taken too long for what is being sent?</summary>
    /// <param name="now">Milliseconds of <see cref="Environment.TickCount64"/>.</param>
    /// <param name="socket">The client's: it tells of room only when a third of its buffer is free, so a slow client is seen by what the
    /// kernel still holds for it.</param>
    public bool IsStuck(long now, int socket) => _client.IsStuck(now, socket);

    /// <summary>Sends what the socket takes now; it does not block. True: everything is out.</summary>
    /// <exception cref="SocketException">The client is gone, or the bytes cannot be read: end the connection.</exception>
    /// <exception cref="IOException">The bytes are no longer mapped: end the connection.</exception>
    public unsafe bool GoOn(int socket)
    {
        if (_head.Length > 0)
        {
            int sent = SocketSender.Send(socket, _head.Span, hasMore: _offset < _end);
            _head = _head[sent..];
            if (_head.Length > 0)
            {
                _client.Expect(socket);
                return false;
            }
        }

        bool isFull = false;
        IoVector* pieces = stackalloc IoVector[PiecesAtOnce];
        while (_offset < _end && !isFull)
        {
            long before = _offset;
            if (IsFromFile(_end) && Lease!.TryGetFileRange(_offset, out ObjectFileRange range))
            {
                long sent = SocketSender.SendFile(socket, range.Handle, range.FileOffset, Math.Min(range.Length, _end - _offset));
                _offset += sent;
                isFull = sent == 0;
            }
            else if (_end <= ObjectLease.MaxWholeBytes)
            {
                _offset += SendShort(socket);
                isFull = _offset == before;
            }
            else
            {
                int count = Gather(pieces);
                _offset += SocketSender.Send(socket, pieces, count);
                Lease!.Unmap();
                isFull = _offset == before;
            }
        }

        if (_offset < _end)
        {
            _client.Expect(socket);
            return false;
        }

        Abandon();
        return true;
    }

    /// <summary>Lets go of what is still to be sent.</summary>
    public void Abandon()
    {
        _client.Rest();
        _head = default;
        Repository = null;
        if (_end > 0)
        {
            Lease!.Dispose();
        }
    }

    /// <summary>Read and checked again: a copy of the rest would be memory that each slow client holds.</summary>
    private int SendShort(int socket)
    {
        if (Lease!.TryReadWhole(out ReadOnlySpan<byte> bytes))
        {
            return SocketSender.Send(socket, bytes[(int)_offset..], hasMore: false);
        }

        byte[] rest = new byte[_end - _offset];
        int read = Lease.ReadAsync(_offset, rest).AsTask().GetAwaiter().GetResult(); // it left the page cache: seldom, and short
        return SocketSender.Send(socket, rest.AsSpan(0, read), hasMore: false);
    }

    private unsafe int Gather(IoVector* pieces)
    {
        int count = 0;
        for (long offset = _offset; offset < _end && count < PiecesAtOnce; count++)
        {
            if (!Lease!.TryGetMapped(offset, out MappedRun run))
            {
                throw new IOException("A mapped object went away while it was sent.");
            }

            long bytes = Math.Min(run.Length, _end - offset);
            pieces[count] = new IoVector { Base = (byte*)run.Address, Length = (nuint)bytes };
            offset += bytes;
        }

        return count;
    }
}
