using System.Net.Sockets;
using Breakwater.CacheStore;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Hits;

/// <summary>
/// An answer from the store that the socket did not take at once, and the lease that it uses again and again: a loop takes one for each
/// request, and has as many as it has answers under way. When the stored copy of an object goes away meanwhile, the rest comes from a
/// Stratum 1.
/// </summary>
internal sealed class StoredAnswer : LoopAnswer
{
    /// <summary>Parts of a gathered send: 4 MiB, more than a socket takes at once.</summary>
    private const int PiecesAtOnce = 16;

    [ThreadStatic]
    private static Stack<StoredAnswer>? t_spare;

    [ThreadStatic]
    private static Stack<StoredAnswer>? t_spareOfSlices;

    private readonly bool _isOfSlices;          // its lease is of another store, and is used again by that one alone

    /// <summary>Held while something is to be sent from it; else disposed or null.</summary>
    public ObjectLease? Lease;

    private HitLedger _ledger = null!;          // from Begin on, as all that follows
    private HitJoins? _joins;                   // null: no repository's
    private RepositoryRoute? _repository;
    private RequestFacts _facts;
    private RequestResult _result;
    private string? _upstream;
    private long _bodyBytes;
    private long _answeredAt;
    private ReadOnlyMemory<byte> _head;
    private long _offset;
    private long _end;
    private GrowingAnswer? _rest;               // the stored copy is gone

    private StoredAnswer(bool isOfSlices) => _isOfSlices = isOfSlices;

    /// <inheritdoc/>
    public override bool HasBegun => true;

    /// <inheritdoc/>
    public override bool TakesTurns => _rest is not null;

    /// <summary>Body bytes that are out.</summary>
    private long Sent => _bodyBytes - (_end > 0 ? _end - _offset : Math.Min(_head.Length, _bodyBytes));

    /// <summary>One to answer with. <see cref="Return"/> or <see cref="End"/> follows on the same thread.</summary>
    public static StoredAnswer Take() => t_spare is { } spare && spare.TryPop(out StoredAnswer? answer) ? answer
        : new StoredAnswer(isOfSlices: false);

    /// <summary>The same for a body of ordinary HTTP.</summary>
    public static StoredAnswer TakeOfSlices() =>
        t_spareOfSlices is { } spare && spare.TryPop(out StoredAnswer? answer) ? answer : new StoredAnswer(isOfSlices: true);

    /// <summary>Gives it back; nothing is under way in it.</summary>
    public void Return()
    {
        if (_isOfSlices)
        {
            (t_spareOfSlices ??= new Stack<StoredAnswer>()).Push(this);
        }
        else
        {
            (t_spare ??= new Stack<StoredAnswer>()).Push(this);
        }
    }

    /// <summary>Notes what is left: the end of the head, and the body from <paramref name="offset"/> to <paramref name="end"/>.</summary>
    public void Keep(ReadOnlySpan<byte> head, long offset, long end)
    {
        _head = head.ToArray();
        _offset = offset;
        _end = end;
    }

    /// <summary>The answer is under way, after <see cref="Keep"/>.</summary>
    /// <param name="ledger">Takes note of its end.</param>
    /// <param name="joins">Gives the rest when the stored copy goes away; null: nobody does.</param>
    /// <param name="repository">The repository under which it was asked for; null: none.</param>
    /// <param name="facts">The request.</param>
    /// <param name="result">How it is counted.</param>
    /// <param name="upstream">The Stratum 1 that was asked for it; null: none.</param>
    /// <param name="bodyBytes">The length of its body.</param>
    public void Begin(
        HitLedger ledger, HitJoins? joins, RepositoryRoute? repository, in RequestFacts facts, RequestResult result, string? upstream,
            long bodyBytes)
    {
        (_ledger, _joins, _repository, _facts, _result, _upstream, _bodyBytes) = (ledger, joins, repository, facts, result, upstream,
            bodyBytes);
        _answeredAt = ledger.Now;
    }

    /// <inheritdoc/>
    public override AnswerProgress GoOn(int socket)
    {
        while (_rest is null)
        {
            try
            {
                return SendStored(socket) ? AnswerProgress.Done : AnswerProgress.Full;
            }
            catch (IOException) when (TryResume())
            {
                // The rest comes from a Stratum 1, or from a copy that was stored since.
            }
        }

        return _rest.GoOn(socket);
    }

    /// <inheritdoc/>
    public override Task Change() => _rest!.Change();

    /// <inheritdoc/>
    public override BegunRequest HandOver() => throw new InvalidOperationException("An answer that has begun is not handed over.");

    /// <inheritdoc/>
    public override void End(AnswerEnd end)
    {
        if (_rest is not null)
        {
            _rest.End(end);
        }
        else
        {
            _ledger.RecordEnd(_facts, end, _result, end == AnswerEnd.Sent ? _bodyBytes : Sent, _answeredAt, _upstream);
            LetGo();
        }

        (_rest, _repository, _facts, _upstream) = (null, null, default, null);
        Return();
    }

    /// <summary>Of an object the rest can be had from elsewhere: its head is out by then, since that is in our own memory.</summary>
    private bool TryResume()
    {
        if (_joins is null)
        {
            return false;
        }

        _rest = _joins.TryResume(_facts, _repository!, _end, Sent, _answeredAt, out ObjectLease? again);
        if (again is not null)
        {
            Lease!.Dispose();
            Lease = again;
            return true;
        }

        if (_rest is null)
        {
            return false;
        }

        LetGo();
        return true;
    }

    private void LetGo()
    {
        _head = default;
        if (_end > 0)
        {
            Lease!.Dispose();
            _end = 0;
        }
    }

    /// <summary>Sends what the socket takes now. True: everything is out.</summary>
    /// <exception cref="SocketException">The client is gone, or the bytes cannot be read.</exception>
    /// <exception cref="IOException">The stored copy is gone or damaged.</exception>
    private unsafe bool SendStored(int socket)
    {
        using var cork = new CorkedParts(socket, _bodyBytes);
        if (_head.Length > 0)
        {
            int sent = SocketSender.Send(socket, _head.Span, hasMore: _offset < _end);
            _head = _head[sent..];
            if (_head.Length > 0)
            {
                return false;
            }
        }

        IoVector* pieces = stackalloc IoVector[PiecesAtOnce];
        while (_offset < _end)
        {
            long before = _offset;
            ObjectLease lease = Lease!;
            if (_end >= ObjectLease.LeastBytesFromFile && lease.TryGetFileRange(_offset, out ObjectFileRange range))
            {
                _offset += SocketSender.SendFile(socket, range.Handle, range.FileOffset, Math.Min(range.Length, _end - _offset));
                lease.Unmap();
            }
            else if (_end > ObjectLease.MaxWholeBytes && Gather(pieces) is > 0 and int count)
            {
                _offset += SocketSender.Send(socket, pieces, count);
                lease.Unmap();
            }
            else
            {
                _offset += SendChecked(socket);
            }

            if (_offset == before)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Sends bytes that are read and checked now. Those of a short object are each time: a copy of the rest would be memory that each slow
    /// client holds. Those of a longer one are when what was found right is not believed any more, which may be in the middle of an answer.
    /// </summary>
    private int SendChecked(int socket)
    {
        if (Lease!.TryReadWhole(out ReadOnlySpan<byte> bytes))
        {
            return SocketSender.Send(socket, bytes[(int)_offset..], hasMore: false);
        }

        Memory<byte> piece = new byte[Math.Min(_end - _offset, ObjectLease.MaxWholeBytes)];
        int read = Lease.TryRead(_offset, piece.Span);
        if (read < 0)
        {
            read = Lease.ReadAsync(_offset, piece).AsTask().GetAwaiter().GetResult(); // it left the page cache: seldom, and short
        }

        return SocketSender.Send(socket, piece.Span[..read], hasMore: false);
    }

    /// <summary>Where bytes lie that need not be checked now. None: the first of them must.</summary>
    private unsafe int Gather(IoVector* pieces)
    {
        int count = 0;
        for (long offset = _offset; offset < _end && count < PiecesAtOnce; count++)
        {
            if (!Lease!.TryGetMapped(offset, out MappedRun run))
            {
                break;
            }

            long bytes = Math.Min(run.Length, _end - offset);
            pieces[count] = new IoVector { Base = (byte*)run.Address, Length = (nuint)bytes };
            offset += bytes;
        }

        return count;
    }
}
