namespace Breakwater.CacheStore;

/// <summary>
/// One object on its way into the store: append, then commit or abort; Dispose without commit means abort. One caller appends and
/// commits; <see cref="TryRead"/> and <see cref="ReadAsync"/> may be called by any number of readers meanwhile.
/// Memory is bounded: what the log has taken is read back from there.
/// </summary>
public abstract class ObjectWriter : IAsyncDisposable
{
    /// <summary>What the bytes must hash to; of a named one nothing, its length counts.</summary>
    public abstract ObjectKey Key { get; }

    /// <summary>Bytes appended so far.</summary>
    public abstract long Length { get; }

    /// <summary>
    /// Appends bytes: hashes them and hands them to the log; waits when the log is behind (back-pressure).
    /// The buffer may be reused when the task is complete.
    /// </summary>
    /// <returns>Null: taken. Else why the store cannot take this object (<see cref="CommitResult.TooLarge"/>,
    /// <see cref="CommitResult.StoreFull"/>, <see cref="CommitResult.Failed"/>): nothing more of it will be stored, appended bytes are
    /// still hashed.</returns>
    public abstract ValueTask<CommitResult?> AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken = default);

    /// <summary>Reads bytes already appended, as <see cref="ObjectLease.TryRead"/>.</summary>
    public abstract int TryRead(long offset, Span<byte> buffer);

    /// <summary>Reads bytes already appended, as <see cref="ObjectLease.ReadAsync"/>.</summary>
    public abstract ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken = default);

    /// <summary>
    /// Where bytes already appended lie in memory, as <see cref="ObjectLease.TryGetMapped"/>; only the kernel should touch them.
    /// Valid until <paramref name="hold"/> is disposed; null: as long as the writer lives.
    /// </summary>
    public abstract bool TryGetMapped(long offset, out MappedRun run, out IDisposable? hold);

    /// <summary>
    /// Do the bytes so far hash to the key; of a named one: are they as many as were expected? After false more may be appended; after true
    /// nothing, but <see cref="CommitAsync"/>, and it is not to be called again. From true on, <see cref="IObjectStore.TryOpen"/> finds the
    /// object, unless the store could not take it.
    /// </summary>
    public abstract bool Verify();

    /// <summary>
    /// Makes the verified object durable. Completes with the next commit of the log (about every 200 ms): do not keep a client waiting for
    /// it. While the disk refuses writes it waits (<see cref="IObjectStore.Refusing"/>). Dispose meanwhile leaves it to go on.
    /// </summary>
    public abstract Task<CommitResult> CommitAsync();

    /// <summary>Aborts when not committed; readers must be gone.</summary>
    public abstract ValueTask DisposeAsync();
}
