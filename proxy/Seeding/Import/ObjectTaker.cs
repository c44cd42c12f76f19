using Breakwater.CacheStore;

namespace Breakwater.Proxy.Seeding.Import;

/// <summary>Takes the bytes of one object: append, verify, commit, dispose; one caller at a time.</summary>
internal abstract class ObjectTaker : IAsyncDisposable
{
    /// <summary>Takes bytes; waits while the store is behind. Null, or why the store cannot take it.</summary>
    public abstract ValueTask<CommitResult?> AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>Do the bytes hash to the key?</summary>
    public abstract bool Verify();

    /// <summary>Makes it durable.</summary>
    public abstract Task<CommitResult> CommitAsync();

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
