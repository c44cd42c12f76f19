using Breakwater.CacheStore;
using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Exchanges;

/// <summary>
/// One client's way through a body: slices from the store, what is under way from its feed, what is missing by a fetch of that part. Never
/// two generations: a part
/// is only asked for under the validator of the whole, and another body takes its place only where all that the client has had is the
/// same in both. Not thread-safe. Dispose to leave.
/// </summary>
internal sealed class BodyReader : IDisposable
{
    /// <summary>Bodies that may break off before the client's does.</summary>
    private const int MostSuccessors = 2;

    private readonly IObjectStore _store;
    private readonly BodyFeeds _feeds;
    private readonly Func<long, long, CancellationToken, Task<BodyFeed?>> _fill;
    private readonly Func<BodyReader, CancellationToken, Task<(StoredHead Head, BodyFeed? Feed)?>>? _succeed;
    private StoredHead _head;
    private BodyFeed? _feed;
    private BodyFeed? _last;
    private BodyInterest _interest;
    private int _successors;
    private ObjectLease? _lease;
    private long _leased = -1;

    /// <summary>Begins to read.</summary>
    /// <param name="head">What is read.</param>
    /// <param name="feed">A feed that has it, or null.</param>
    /// <param name="store">The slices.</param>
    /// <param name="feeds">What is under way.</param>
    /// <param name="fill">Starts a fetch of a part: from an offset, up to another. Null: it cannot be had.</param>
    /// <param name="succeed">Finds another body that begins as this one does; null: there is never one.</param>
    public BodyReader(
        StoredHead head, BodyFeed? feed, IObjectStore store, BodyFeeds feeds, Func<long, long, CancellationToken, Task<BodyFeed?>> fill,
        Func<BodyReader, CancellationToken, Task<(StoredHead Head, BodyFeed? Feed)?>>? succeed = null)
    {
        _head = head;
        _feed = feed;
        _store = store;
        _feeds = feeds;
        _fill = fill;
        _succeed = succeed;
        _interest = feeds.Want(head.BodyId);
    }

    /// <summary>What is read.</summary>
    public StoredHead Head => _head;

    /// <summary>The feed that has, or had, what was read last; null: all came from the store.</summary>
    public BodyFeed? LastFeed => _feed ?? _last;

    /// <summary>The first byte that was read, and the one behind the last.</summary>
    public (long Start, long End) Had { get; private set; } = (-1, -1);

    /// <summary>Reads at least one byte; 0: the body has ended (only where its length was not known).</summary>
    /// <param name="offset">Where.</param>
    /// <param name="end">Offset behind the last byte that the client wants.</param>
    /// <param name="buffer">Where to.</param>
    /// <param name="cancellationToken">The client has left.</param>
    /// <exception cref="IOException">The rest cannot be had: the client must see that its answer is cut.</exception>
    public async ValueTask<int> ReadAsync(long offset, long end, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        long start = Had.Start < 0 ? offset : Had.Start;
        Had = (start, offset);
        _interest.Move(offset, end);
        int read = await FindAsync(offset, end, buffer, cancellationToken);
        Had = (start, offset + read);
        return read;
    }

    private async ValueTask<int> FindAsync(long offset, long end, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int fills = 0;
        while (_head.Length is null || offset < _head.Length)
        {
            if (TryLease(offset, out int within) && (_feed?.Released(offset, buffer.Length) ?? buffer.Length) is > 0 and int released)
            {
                if (await ReadLeaseAsync(within, buffer[..released], cancellationToken) is > 0 and int stored)
                {
                    return stored;
                }

                continue;
            }

            _feed ??= _feeds.Find(_head.BodyId, offset);
            if (_feed is not null)
            {
                switch (_feed.Read(this, offset, buffer.Span, out int read))
                {
                    case FeedRead.Bytes:
                        return read;
                    case FeedRead.Wait:
                        await _feed.WaitBeyondAsync(offset).WaitAsync(cancellationToken);
                        continue;
                    case FeedRead.Ended when _head.Length is null:
                        return 0;
                    case FeedRead.Elsewhere or FeedRead.Ended when BodySlice.IsStored(
                        _store, _head.BodyId, offset):
                        continue;
                    default:
                        LeaveFeed();
                        break;
                }

                _feed = _feeds.Find(_head.BodyId, offset);
                if (_feed is not null)
                {
                    continue;
                }
            }

            _feed = fills++ < 2 && _head.Length is not null ? await _fill(offset, end, cancellationToken) : null;
            if (_feed is null && !BodySlice.IsStored(_store, _head.BodyId, offset))
            {
                if (_succeed is null || _successors++ == MostSuccessors || await _succeed(this, cancellationToken) is not { } next)
                {
                    throw new IOException("a part of the body is not here any more and cannot be had again");
                }

                fills = 0;
                _lease?.Dispose();
                (_lease, _leased) = (null, -1);
                (_head, _feed, _last) = (next.Head, next.Feed, null);
                _interest.Dispose();
                _interest = _feeds.Want(_head.BodyId);
            }
        }

        return 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _lease?.Dispose();
        _lease = null;
        LeaveFeed();
        _interest.Dispose();
    }

    /// <summary>The slice at this offset, from the store.</summary>
    private bool TryLease(long offset, out int within)
    {
        long index = offset / BodySlice.SizeBytes;
        within = (int)(offset - (index * BodySlice.SizeBytes));
        if (_lease is not null && _leased == index)
        {
            return within < _lease.Length;
        }

        _lease?.Dispose();
        _lease = null;
        if (!_store.TryOpen(BodySlice.KeyOf(_head.BodyId, index), out ObjectLease? lease))
        {
            return false;
        }

        _lease = lease;
        _leased = index;
        return within < lease.Length;
    }

    /// <summary>0: it is damaged, and the store has forgotten it.</summary>
    private async ValueTask<int> ReadLeaseAsync(int within, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            int read = _lease!.TryRead(within, buffer.Span);
            return read >= 0 ? read : await _lease.ReadAsync(within, buffer, cancellationToken);
        }
        catch (IOException)
        {
            _lease!.Dispose();
            _lease = null;
            return 0;
        }
    }

    private void LeaveFeed()
    {
        _feed?.Leave(this);
        _last = _feed ?? _last;
        _feed = null;
    }
}
