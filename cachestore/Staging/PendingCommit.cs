namespace Breakwater.CacheStore.Staging;

/// <summary>A verified object whose entries are in the log, waiting to be durable.</summary>
internal readonly record struct PendingCommit(StagedObject Staged, long Address, bool IsSealed, ushort Mark);
