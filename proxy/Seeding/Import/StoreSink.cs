using Breakwater.CacheStore;

namespace Breakwater.Proxy.Seeding.Import;

/// <summary>Writes to the store what it does not hold yet: an import that was interrupted goes on where it was.</summary>
internal sealed class StoreSink(IObjectStore store) : IObjectSink
{
    /// <inheritdoc/>
    public ObjectTaker Begin(in ObjectKey key, long length) =>
        store.Contains(key) ? new HashOnlySink.Taker(key) : new Taker(store.BeginWrite(key, length));

    /// <inheritdoc/>
    public Task<CommitResult> WaitAsync(Task<CommitResult> commit, CancellationToken cancellationToken) =>
        store.WaitAsync(commit, cancellationToken);

    private sealed class Taker(ObjectWriter writer) : ObjectTaker
    {
        public override ValueTask<CommitResult?> AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
            writer.AppendAsync(bytes, cancellationToken);

        public override bool Verify() => writer.Verify();

        public override Task<CommitResult> CommitAsync() => writer.CommitAsync();

        public override ValueTask DisposeAsync() => writer.DisposeAsync();
    }
}
