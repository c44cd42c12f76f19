using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;

namespace Breakwater.Proxy.Seeding.Import;

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
