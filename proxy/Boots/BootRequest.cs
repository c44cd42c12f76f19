using Breakwater.CacheStore;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Boots;

/// <summary>One request of a boot. Times in milliseconds.</summary>
internal readonly record struct BootRequest(double StartMs, float DurationMs, ByteSource Source, RequestResult Result, long Bytes,
    ObjectKey Key, bool HasKey, string? Target);
