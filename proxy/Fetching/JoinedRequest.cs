using Breakwater.CacheStore;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Fetching;

/// <summary>
/// A request for an object that the store lacks, which has joined the object's fetch on an event loop. What takes long or fails is handed
/// to
/// the pipeline, which takes the follower over.
/// </summary>
internal sealed class JoinedRequest(in ObjectKey key, FetchFollower follower, long startedAt, TimeProvider time) : IAsyncDisposable
{
    /// <summary>The object.</summary>
    public ObjectKey Key { get; } = key;

    /// <summary>The request's place in the fetch.</summary>
    public FetchFollower Follower => follower;

    /// <summary><see cref="TimeProvider.GetTimestamp"/> when the head had been read.</summary>
    public long StartedAt => startedAt;

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
