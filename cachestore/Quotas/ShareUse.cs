namespace Breakwater.CacheStore.Quotas;

/// <summary>What a share takes.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Bytes">Of its objects, without what segments cost beside them.</param>
/// <param name="QuotaBytes">What they may take when room is short; null: it has no limit of its own.</param>
public sealed record ShareUse(string Name, long Bytes, long? QuotaBytes);
