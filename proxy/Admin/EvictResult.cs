namespace Breakwater.Proxy.Admin;

/// <summary>What an eviction left.</summary>
internal sealed record EvictResult(long UsedBytes);
