using System.Buffers;
using System.Net.Sockets;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Hits;

/// <summary>
/// An answer that goes out while its object is being fetched, straight from the memory in which the object grows: all followers share it. A
/// turn is short, the first one most of all, so that of thousands nobody waits long for a first byte.
/// </summary>
/// <param name="ledger">Takes note of its end.</param>
/// <param name="facts">The request.</param>
/// <param name="follower">Its place in the fetch; passes over.</param>
/// <param name="head">The answer's head.</param>
/// <param name="length">The object's length, bytes, as the head tells it.</param>
/// <param name="resident">What is known to be in the page cache.</param>
/// <param name="answeredAt">When its head went out, or goes out now.</param>
/// <param name="sent">Body bytes that are out already.</param>
internal sealed class GrowingAnswer(
    HitLedger ledger, RequestFacts facts, FetchFollower follower, byte[] head, long length, ResidentRuns resident, long answeredAt,
    long sent = 0) : LoopAnswer
{
    private const int FirstBytes = 64 << 10;
    private const int BytesAtOnce = 512 << 10;
    private const int MaxPieces = 8;
    private const int ReadBytes = 64 << 10;

    private readonly IDisposable?[] _holds = new IDisposable?[MaxPieces];
    private int _headSent;
    private long _sent = sent;              // of the body
    private byte[]? _piece;                 // from the pool: bytes that had to be read
    private long _pieceAt;                  // their place in the object
    private GrowingObject? _pieceOf;        // the body they are of
    private Task<int>? _reading;            // into the piece

    /// <inheritdoc/>
    public override bool HasBegun => true;

    /// <inheritdoc/>
    public override bool TakesTurns => true;

    /// <inheritdoc/>
    public override Task Change() => _reading ?? follower.Change(_sent);

    /// <inheritdoc/>
    public override BegunRequest HandOver() => throw new InvalidOperationException("An answer that has begun is not handed over.");

    /// <inheritdoc/>
    public override AnswerProgress GoOn(int socket)
    {
        int budget = _sent == 0 ? FirstBytes : BytesAtOnce;
        while (_sent < length)
        {
            if (_reading is { IsCompleted: false })
            {
                return AnswerProgress.Starved;
            }

            FollowState? state = follower.Look(_sent);
            if (_reading is not null && (state is null || !ReferenceEquals(_pieceOf, follower.Body)))
            {
                // It was read from a body that has turned out wrong since.
                DropPiece();
            }

            if (state is null)
            {
                return AnswerProgress.Starved;
            }

            if (state != FollowState.Readable)
            {
                throw new IOException("The fetch of an object failed while its first bytes were sent.");
            }

            if (budget <= 0)
            {
                return AnswerProgress.Paused;
            }

            long before = _sent + _headSent;
            if (!TrySendMapped(socket, budget, out bool isAll) && !TrySendRead(socket, out isAll))
            {
                return AnswerProgress.Starved;
            }

            budget -= (int)(_sent + _headSent - before);
            if (!isAll)
            {
                return AnswerProgress.Full;
            }
        }

        return AnswerProgress.Done;
    }

    /// <inheritdoc/>
    public override void End(AnswerEnd end)
    {
        RequestResult whole = follower.IsLeader ? RequestResult.Miss : RequestResult.Joined;
        ledger.RecordEnd(facts, end, whole, _sent, answeredAt, follower.Upstream);
        _ = LeaveAsync();
    }

    private async Task LeaveAsync()
    {
        if (_reading is Task reading)
        {
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        DropPiece();
        await follower.DisposeAsync();
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
                && follower.TryGetMapped(_sent + wanted, out MappedRun run, out _holds[count]))
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
            _pieceOf = follower.Body;
            _reading = follower.ReadAsync(_sent, _piece.AsMemory(0, (int)Math.Min(ReadBytes, length - _sent)),
                CancellationToken.None).AsTask();
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
            follower.MoveTo(_sent);
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
