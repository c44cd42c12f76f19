using System.Buffers;
using System.Net.Sockets;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Fetching;

namespace Breakwater.Proxy.EventLoops;

/// <summary>
/// An answer that goes out while its object is being fetched, straight from the memory in which the object grows: all followers share it. A
/// turn is short, the first one most of all, so that of thousands nobody waits long for a first byte. One flow at a time. Dispose to leave
/// the fetch.
/// </summary>
/// <param name="joined">The request; passes over.</param>
/// <param name="head">The answer's head.</param>
/// <param name="length">The object's length, bytes, as the head tells it.</param>
/// <param name="resident">What is known to be in the page cache.</param>
/// <param name="sent">Body bytes that are out already.</param>
internal sealed class GrowingSend(JoinedRequest joined, byte[] head, long length, ResidentRuns resident, long sent = 0) : IAsyncDisposable
{
    private const int FirstBytes = 64 << 10;
    private const int BytesAtOnce = 512 << 10;
    private const int MaxPieces = 8;
    private const int ReadBytes = 64 << 10;

    private readonly FetchFollower _follower = joined.Follower;
    private readonly IDisposable?[] _holds = new IDisposable?[MaxPieces];
    private int _headSent;
    private long _sent = sent;              // of the body
    private byte[]? _piece;                 // from the pool: bytes that had to be read
    private long _pieceAt;                  // their place in the object
    private GrowingObject? _pieceOf;        // the body they are of
    private Task<int>? _reading;            // into the piece
    private ClientWatch _client = ClientWatch.Resting;

    /// <summary>The request that is answered.</summary>
    public JoinedRequest Request => joined;

    /// <summary>Body bytes that are out.</summary>
    public long Sent => _sent;

    /// <summary>Completes when more may be there.</summary>
    public Task Change() => _reading ?? _follower.Change(_sent);

    /// <inheritdoc cref="PendingSend.IsStuck"/>
    public bool IsStuck(long now, int socket) => _client.IsStuck(now, socket);

    /// <summary>Sends what is there and what the socket takes; it does not block.</summary>
    /// <exception cref="SocketException">The client is gone: end the connection.</exception>
    /// <exception cref="IOException">The fetch failed, or what went out was wrong: end the connection.</exception>
    public SendProgress GoOn(int socket)
    {
        _client.Rest();
        int budget = _sent == 0 ? FirstBytes : BytesAtOnce;
        while (_sent < length)
        {
            FollowState? state = _follower.Look(_sent);
            if (_reading is { IsCompleted: true } && (state is null || !ReferenceEquals(_pieceOf, _follower.Body)))
            {
                // It was read from a body that has turned out wrong since.
                DropPiece();
            }

            if (state is null || _reading is { IsCompleted: false })
            {
                return SendProgress.Starved;
            }

            if (state != FollowState.Readable)
            {
                throw new IOException("The fetch of an object failed while its first bytes were sent.");
            }

            if (budget <= 0)
            {
                return SendProgress.Paused;
            }

            long before = _sent + _headSent;
            if (!TrySendMapped(socket, budget, out bool isAll) && !TrySendRead(socket, out isAll))
            {
                return SendProgress.Starved;
            }

            budget -= (int)(_sent + _headSent - before);
            if (!isAll)
            {
                _client.Expect(socket);
                return SendProgress.Full;
            }
        }

        return SendProgress.Done;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_reading is Task reading)
        {
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        DropPiece();
        await joined.DisposeAsync();
    }

    /// <summary>Sends from where the bytes lie. False: they must be read.</summary>
    private unsafe bool TrySendMapped(int socket, int budget, out bool isAll)
    {
        isAll = false;
        IoVector* pieces = stackalloc IoVector[MaxPieces];
        int count = 1;
        long wanted = 0;
        try
        {
            while (count < MaxPieces && wanted < budget && _sent + wanted < length && _reading is null
                && _follower.TryGetMapped(_sent + wanted, out MappedRun run, out _holds[count]))
            {
                if (_holds[count] is null && !resident.Contains(run))
                {
                    break;
                }

                int bytes = (int)Math.Min(run.Length, Math.Min(budget - wanted, length - _sent - wanted));
                pieces[count++] = new IoVector { Base = (byte*)run.Address, Length = (nuint)bytes };
                wanted += bytes;
            }

            if (wanted == 0)
            {
                return false;
            }

            isAll = Send(socket, pieces, count, wanted);
            return true;
        }
        finally
        {
            for (int i = 1; i < MaxPieces; i++)
            {
                _holds[i]?.Dispose();
                _holds[i] = null;
            }
        }
    }

    /// <summary>Sends bytes that are in a buffer of our own, or a disk's to bring. False: they are not here yet.</summary>
    private unsafe bool TrySendRead(int socket, out bool isAll)
    {
        isAll = false;
        if (_reading is null)
        {
            _piece ??= ArrayPool<byte>.Shared.Rent(ReadBytes);
            _pieceAt = _sent;
            _pieceOf = _follower.Body;
            _reading = _follower.ReadAsync(_sent, _piece.AsMemory(0, (int)Math.Min(ReadBytes, length - _sent)), CancellationToken.None)
                .AsTask();
            if (!_reading.IsCompleted)
            {
                return false;
            }
        }

        int read = _reading.GetAwaiter().GetResult();
        if (read == 0)
        {
            throw new IOException("A growing object ended before its length.");
        }

        fixed (byte* start = _piece)
        {
            IoVector* pieces = stackalloc IoVector[2];
            int from = (int)(_sent - _pieceAt);
            pieces[1] = new IoVector { Base = start + from, Length = (nuint)(read - from) };
            isAll = Send(socket, pieces, 2, read - from);
        }

        if (_sent == _pieceAt + read)
        {
            DropPiece();
        }

        return true;
    }

    /// <summary>Sends the rest of the head and the pieces from the second on. True: all of it is out.</summary>
    private unsafe bool Send(int socket, IoVector* pieces, int count, long wanted)
    {
        fixed (byte* start = head)
        {
            int headLeft = head.Length - _headSent;
            pieces[0] = new IoVector { Base = start + _headSent, Length = (nuint)headLeft };
            long taken = SocketSender.Send(socket, pieces, count);
            int ofHead = (int)Math.Min(taken, headLeft);
            _headSent += ofHead;
            _sent += taken - ofHead;
            _follower.MoveTo(_sent);
            return taken == headLeft + wanted;
        }
    }

    private void DropPiece()
    {
        _reading = null;
        if (_piece is not null)
        {
            ArrayPool<byte>.Shared.Return(_piece);
            _piece = null;
        }
    }
}
