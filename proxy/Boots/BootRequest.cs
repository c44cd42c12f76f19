using Breakwater.CacheStore;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.WorkingSets;

namespace Breakwater.Proxy.Boots;

/// <summary>One request of a boot. Times in milliseconds.</summary>
internal readonly record struct BootRequest(int StartMs, int DurationMs, ByteSource Source, RequestResult Result, long Bytes, ObjectKey Key, bool HasKey, string? Target);
