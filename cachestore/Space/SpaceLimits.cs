namespace Breakwater.CacheStore.Space;

/// <summary>What the segments of a store may take.</summary>
/// <param name="QuotaBytes">Bytes of the segment files, with what others take of it.</param>
/// <param name="FloorBytes">Bytes of the file system that are left free whatever the quota says.</param>
/// <param name="OthersBytes">What others take of the quota at present.</param>
internal sealed record SpaceLimits(long QuotaBytes, long FloorBytes, Func<long> OthersBytes);
