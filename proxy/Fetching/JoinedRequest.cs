using Breakwater.CacheStore;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Fetching;

/// <summary>
/// A request for an object that the store lacks: the hit path has joined it to the object's fetch, and answers it from the store when that
/// is done. What takes long, fails or is streamed is left to the ordinary path, which takes the follower over.
/// </summary>
internal sealed class JoinedRequest(in ObjectKey key, string fqrn, string? connection, FetchFollower follower, TimeProvider time)
    : IAsyncDisposable
{
    /// <summary>Ms: so long the hit path waits itself: less than the farewell before a stop.</summary>
    public const int PatienceMs = 800;

    public ObjectKey Key { get; } = key;

    /// <summary>The repository under which it was asked for.</summary>
    public string Fqrn => fqrn;

    /// <summary>See <see cref="RequestRecord.Connection"/>.</summary>
    public string? Connection => connection;

    public FetchFollower Follower => follower;

    /// <summary><see cref="TimeProvider.GetTimestamp"/> when the head had been read.</summary>
    public long StartedAt { get; init; } = time.GetTimestamp();

    /// <summary>The same when its answer began; 0 before.</summary>
    public long AnsweredAt { get; set; }

    /// <summary>Time since <see cref="StartedAt"/>.</summary>
    public TimeSpan Elapsed => time.GetElapsedTime(StartedAt);

    /// <summary>How its answer is counted.</summary>
    public RequestResult Result => follower.IsLeader ? RequestResult.Miss : RequestResult.Joined;

    /// <summary>
    /// Is the fetch still without a byte to hand out, and without a failure? Ask again after the next <see cref="Change"/>.
    /// </summary>
    public bool IsUndecided => follower.IsUndecided;

    /// <summary>Completes when that may be over.</summary>
    public Task Change() => follower.Change(0);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => follower.DisposeAsync();
}
