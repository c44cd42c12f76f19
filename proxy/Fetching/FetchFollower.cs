using Breakwater.CacheStore;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Fetching;

/// <summary>What a follower finds when it looks.</summary>
internal enum FollowState : byte
{
    /// <summary>Bytes are there to read.</summary>
    Readable,

    /// <summary>The object is whole and verified, and read to its end.</summary>
    Ended,

    /// <summary>The fetch failed: <see cref="InFlightFetch.Failure"/>.</summary>
    Failed,
}

/// <summary>
/// One request's part in a fetch. It reads the body while it grows; when the body turns out wrong and is fetched anew, it goes on in the new one
/// if what it has read so far agrees, and is cut if not. Dispose to leave. Not thread-safe.
/// </summary>
internal sealed class FetchFollower : IAsyncDisposable
{
    private readonly InFlightFetch _fetch;
    private GrowingReader _reader;
    private long? _promisedLength;

    public FetchFollower(InFlightFetch fetch, GrowingReader reader, bool isLeader)
    {
        _fetch = fetch;
        _reader = reader;
        IsLeader = isLeader;
    }

    /// <summary>Did this request start the fetch?</summary>
    public bool IsLeader { get; }

    /// <summary>Length of the object when known. Once a client was told, see <see cref="PromiseLength"/>.</summary>
    public long? Length => _reader.Body.Length;

    /// <summary>The body that is read at present.</summary>
    public GrowingObject Body => _reader.Body;

    /// <summary>Why the fetch failed.</summary>
    public UpstreamFailure? Failure => _fetch.Failure;

    /// <summary>Host of the Stratum 1 that delivered last.</summary>
    public string? Upstream => _fetch.Upstream;

    /// <summary>The length went out in a head: a body of another length must not follow it.</summary>
    public void PromiseLength(long length) => _promisedLength = length;

    /// <summary>Has the fetch neither bytes to hand out nor a failure yet?</summary>
    public bool IsUndecided => _fetch.Failure is null && _fetch.Body is { Released: 0, State: not GrowthState.Verified };

    /// <summary>Completes when the body in force has bytes beyond <paramref name="offset"/> to hand out, or is over. Look again after it.</summary>
    public Task Change(long offset) => _fetch.Body.WaitBeyondAsync(offset);

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
        if (body.Released > offset && ReferenceEquals(body, _reader.Body))
        {
            return FollowState.Readable;
        }

        // The fetch replaces a body, or notes its failure, before it breaks the old one: whoever wakes finds what comes next.
        return body.State == GrowthState.Verified && body.Released <= offset ? FollowState.Ended
            : _fetch.Failure is not null ? FollowState.Failed : null;
    }

    /// <summary>Where released bytes lie in memory, after <see cref="Look"/> said so; see <see cref="GrowingObject.TryGetMapped"/>.</summary>
    public bool TryGetMapped(long offset, out MappedRun run, out IDisposable? hold) => _reader.Body.TryGetMapped(offset, out run, out hold);

    /// <summary>Everything before <paramref name="offset"/> was sent.</summary>
    public void MoveTo(long offset) => _reader.MoveTo(offset);

    /// <summary>Reads released bytes, at least one after <see cref="WaitAsync"/> said so.</summary>
    /// <exception cref="IOException">This follower cannot go on: cut its response.</exception>
    public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int read = await _reader.Body.ReadAsync(offset, buffer, cancellationToken);
        _reader.MoveTo(offset + read);
        return read;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _reader.DisposeAsync();
        _fetch.Left();
    }

    /// <summary>Moves to the body in force, once it is known that what was read agrees with it.</summary>
    private GrowingObject CurrentBody(long offset)
    {
        GrowingObject current = _fetch.Body;
        if (ReferenceEquals(current, _reader.Body) || (current.Released < offset && current.State != GrowthState.Verified))
        {
            return current;
        }

        if (_fetch.AgreedBytes < offset || (_promisedLength is { } promised && current.Length is { } length && length != promised))
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
}
