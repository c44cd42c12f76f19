using Breakwater.CacheStore;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Fetching;

/// <summary>
/// One request's part in a fetch. It reads the body while it grows; when the body turns out wrong and is fetched anew, it goes on in the
/// new one if what it has read so far agrees, and is cut if not. When the store cannot give back what it took of a right body, it goes on
/// in another fetch, from memory. Dispose to leave. Not thread-safe.
/// </summary>
/// <remarks>
/// It keeps the promise that a head makes, for all senders: it never hands out a byte beyond the promised length, and the last byte of it
/// only when the body in force is verified and has that length. So nothing that is sent from here can be complete and wrong, or longer than
/// it says.
/// </remarks>
internal sealed class FetchFollower : IAsyncDisposable
{
    private InFlightFetch _fetch;
    private FetchWay _way;
    private GrowingReader _reader;
    private long? _promised;    // length of the object, told to the client
    private bool _hasRead;      // the client may have bytes

    public FetchFollower(InFlightFetch fetch, FetchWay way, GrowingReader reader, bool isLeader)
    {
        _fetch = fetch;
        _way = way;
        _reader = reader;
        IsLeader = isLeader;
    }

    /// <summary>Did this request start the fetch?</summary>
    public bool IsLeader { get; }

    /// <summary>
    /// Length of the body that is read at present, when known; before a client is told, see <see cref="PromiseLength()"/>.
    /// </summary>
    public long? Length => _reader.Body.Length;

    /// <summary>Is the body that is read whole and known to be right?</summary>
    public bool IsVerified => _reader.Body.State == GrowthState.Verified;

    /// <summary>The body that is read at present.</summary>
    public GrowingObject Body => _reader.Body;

    /// <summary>
    /// Why this request gets nothing: the failure of the way that it came by, never that of another's. While it has an answer under way, it
    /// hopes for the other ways.
    /// </summary>
    public UpstreamFailure? Failure =>
        _fetch.Failure is null && (_hasRead || _promised is not null) ? null : _way.Failure ?? _fetch.Failure;

    /// <summary>Will the store keep it, as far as can be told?</summary>
    public bool IsToBeStored => _fetch.IsToBeStored(_reader.Body);

    /// <summary>Host of the Stratum 1 that delivered last.</summary>
    public string? Upstream => _fetch.Upstream;

    /// <summary>
    /// The length of the body that is read, for a head: from now on no more and no less is handed out. Null: it is not known.
    /// </summary>
    public long? PromiseLength() => _promised = _reader.Body.Length;

    /// <summary>A head has told this length already.</summary>
    public void PromiseLength(long length) => _promised = length;

    /// <summary>Has the fetch neither bytes to hand out nor a failure yet?</summary>
    public bool IsUndecided => Failure is null && _fetch.Body is { Released: 0, State: not GrowthState.Verified };

    /// <summary>
    /// Completes when the body in force has bytes beyond <paramref name="offset"/> to hand out, or is over. Look again after it.
    /// </summary>
    public Task Change(long offset)
    {
        Task change = _fetch.Body.WaitBeyondAsync(_promised is { } promised && offset >= promised - 1 ? long.MaxValue : offset);

        // Looked at after it: the failure of a way wakes those who wait by then, once.
        return Failure is null ? change : Task.CompletedTask;
    }

    /// <summary>Waits until bytes beyond <paramref name="offset"/> can be read, or the fetch ended.</summary>
    /// <exception cref="IOException">This follower cannot go on: cut its response.</exception>
    /// <exception cref="OperationCanceledException">The client left.</exception>
    public async ValueTask<FollowState> WaitAsync(long offset, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (Look(offset) is { } state)
            {
                return state;
            }

            await Change(offset).WaitAsync(cancellationToken);
        }
    }

    /// <summary>What there is beyond <paramref name="offset"/> now; null: nothing yet.</summary>
    /// <exception cref="IOException">This follower cannot go on: cut its response.</exception>
    public FollowState? Look(long offset)
    {
        GrowingObject body = CurrentBody(offset);
        if (Limit(body) > offset && ReferenceEquals(body, _reader.Body))
        {
            return FollowState.Readable;
        }

        // The fetch replaces a body, or notes its failure, before it breaks the old one: whoever wakes finds what comes next.
        return body.State == GrowthState.Verified && body.Released <= offset ? FollowState.Ended
            : Failure is not null ? FollowState.Failed : null;
    }

    /// <summary>
    /// Where released bytes lie in memory, after <see cref="Look"/> said so; see <see cref="GrowingObject.TryGetMapped"/>.
    /// </summary>
    public bool TryGetMapped(long offset, out MappedRun run, out IDisposable? hold)
    {
        long left = Limit(_reader.Body) - offset;
        if (left <= 0 || !_reader.Body.TryGetMapped(offset, out run, out hold))
        {
            (run, hold) = (default, null);
            return false;
        }

        run = run with { Length = (int)Math.Min(run.Length, left) };
        return true;
    }

    /// <summary>It is for another node, which judges by itself: what comes is released at once, but for the end.</summary>
    public void ForNode()
    {
        _fetch.NoteNode();
        _fetch.Tick();      // what may go out by that goes out at once
    }

    /// <summary>Everything before <paramref name="offset"/> was sent.</summary>
    public void MoveTo(long offset)
    {
        _hasRead |= offset > 0;
        _reader.MoveTo(offset);
    }

    /// <summary>
    /// Nothing before <paramref name="offset"/> will be sent: a body that is kept in memory need not wait for this reader.
    /// </summary>
    public void SkipTo(long offset) => _reader.MoveTo(offset);

    /// <summary>Takes back <see cref="SkipTo"/>. False: the beginning has left memory.</summary>
    public bool TryRewind()
    {
        if (_reader.Body.TryOpenReader() is not { } reader)
        {
            return false;
        }

        _ = _reader.DisposeAsync().AsTask();
        _reader = reader;
        return true;
    }

    /// <summary>
    /// Waits until all bytes before <paramref name="offset"/>, which were read, are known to be right. False: the fetch failed.
    /// </summary>
    /// <exception cref="IOException">They are not.</exception>
    /// <exception cref="OperationCanceledException">The client left.</exception>
    public async ValueTask<bool> WaitVerifiedAsync(long offset, CancellationToken cancellationToken)
    {
        while (true)
        {
            GrowingObject body = CurrentBody(offset);
            if (body.State == GrowthState.Verified && ReferenceEquals(body, _reader.Body))
            {
                return true;
            }

            if (_fetch.Failure is not null)
            {
                return false;
            }

            _reader.MoveTo(long.MaxValue);
            await _fetch.Body.WaitBeyondAsync(long.MaxValue).WaitAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Reads released bytes, at least one after <see cref="WaitAsync"/> said so. Nothing else is called before it is over: the body that is
    /// read may be another one by then.
    /// </summary>
    /// <exception cref="IOException">This follower cannot go on: cut its response.</exception>
    /// <exception cref="OperationCanceledException">The client left.</exception>
    public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            long left = Limit(_reader.Body) - offset;
            if (left <= 0)
            {
                return 0;
            }

            try
            {
                int read = await _reader.Body.ReadAsync(offset, buffer[..(int)Math.Min(buffer.Length, left)], cancellationToken);
                MoveTo(offset + read);
                return read;
            }
            catch (IOException) when (!_fetch.Order.IsReadFromMemory && _reader.Body.Refusal is null)
            {
                // The disk took them and does not give them back.
                if (!await TryGoOnFromMemoryAsync(offset, cancellationToken))
                {
                    throw;
                }
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _reader.DisposeAsync();
        _fetch.Left(_way);
    }

    /// <summary>
    /// Goes on in another fetch, whose body is read from memory, once what went out is known to be right: it cannot be compared any more.
    /// False: that cannot be known, or nobody has the rest.
    /// </summary>
    private async ValueTask<bool> TryGoOnFromMemoryAsync(long offset, CancellationToken cancellationToken)
    {
        if (_hasRead && !await WaitVerifiedAsync(offset, cancellationToken))
        {
            return false;
        }

        if (_fetch.JoinOrStart(_way.Order.FromMemory()).Follower is not { } again)
        {
            return false;
        }

        await DisposeAsync();
        (_fetch, _way, _reader) = (again._fetch, again._way, again._reader);
        _reader.MoveTo(offset);
        return await WaitAsync(offset, cancellationToken) == FollowState.Readable;
    }

    /// <summary>How far this body may be handed out.</summary>
    private long Limit(GrowingObject body)
    {
        long released = body.Released;
        if (_promised is not { } promised || released < promised)
        {
            return released;
        }

        return body.State == GrowthState.Verified && !IsOtherLength(body) ? promised : promised - 1;
    }

    /// <summary>Moves to the body in force, once it is known that what was read agrees with it.</summary>
    private GrowingObject CurrentBody(long offset)
    {
        GrowingObject current = _fetch.Body;
        if (ReferenceEquals(current, _reader.Body))
        {
            return current.State == GrowthState.Verified && IsOtherLength(current)
                ? throw new IOException("The object has not the length that this client was told.") : current;
        }

        if (current.Released < offset && current.State != GrowthState.Verified)
        {
            return current;
        }

        if ((_hasRead && _fetch.AgreedBytes < offset) || IsOtherLength(current))
        {
            throw new IOException("What this client has read so far came from a Stratum 1 that sent wrong bytes.");
        }

        GrowingReader reader = current.TryOpenReader()
            ?? throw new IOException("The object fetched anew has already left memory.");
        _ = _reader.DisposeAsync().AsTask();
        _reader = reader;
        _reader.MoveTo(offset);
        return current;
    }

    private bool IsOtherLength(GrowingObject body) => _promised is { } promised && body.Length is { } length && length != promised;
}
