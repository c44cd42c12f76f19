using Breakwater.CacheStore.Log;

namespace Breakwater.CacheStore.Heads;

/// <summary>A head that cannot be read from the log's files yet.</summary>
/// <param name="Key">Of its name.</param>
/// <param name="Payload">Its entry's.</param>
/// <param name="Address">Of its entry.</param>
internal sealed record StagedHead(ObjectKey Key, ReadOnlyMemory<byte> Payload, long Address)
{
    /// <summary>The address behind its entry.</summary>
    public long End => Address + BlobLog.SizeOf(Payload.Length);
}
