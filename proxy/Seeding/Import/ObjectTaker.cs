using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;

namespace Breakwater.Proxy.Seeding.Import;

/// <summary>Where the objects of a bundle go. Thread-safe.</summary>
internal interface IObjectSink
{
    /// <summary>Starts to take one object.</summary>
    ObjectTaker Begin(in ObjectKey key, long length);
}

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

/// <summary>Only checks digests: for <c>verify</c>, and for objects that the store holds already.</summary>
internal sealed class HashOnlySink : IObjectSink
{
    /// <inheritdoc/>
    public ObjectTaker Begin(in ObjectKey key, long length) => new Taker(key);

    internal sealed class Taker(ObjectKey key) : ObjectTaker
    {
        private readonly ObjectHasher _hasher = ObjectHasher.Create(key.Algorithm);

        public override ValueTask<CommitResult?> AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            _hasher.Append(bytes.Span);
            return new ValueTask<CommitResult?>((CommitResult?)null);
        }

        public override bool Verify() => _hasher.FinishMatches(key);

        public override Task<CommitResult> CommitAsync() => Task.FromResult(CommitResult.AlreadyPresent);

        public override ValueTask DisposeAsync()
        {
            _hasher.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>Writes to the store what it does not hold yet: an import that was interrupted goes on where it was.</summary>
internal sealed class StoreSink(IObjectStore store) : IObjectSink
{
    /// <inheritdoc/>
    public ObjectTaker Begin(in ObjectKey key, long length) =>
        store.Contains(key) ? new HashOnlySink.Taker(key) : new Taker(store.BeginWrite(key, length));

    private sealed class Taker(ObjectWriter writer) : ObjectTaker
    {
        public override ValueTask<CommitResult?> AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => writer.AppendAsync(bytes, cancellationToken);

        public override bool Verify() => writer.Verify();

        public override Task<CommitResult> CommitAsync() => writer.CommitAsync();

        public override ValueTask DisposeAsync() => writer.DisposeAsync();
    }
}
