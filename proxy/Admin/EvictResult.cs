using System.Runtime.CompilerServices;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Faster;
using Breakwater.CacheStore.Scrubbing;
using Breakwater.Proxy.Snapshots;

namespace Breakwater.Proxy.Admin;

/// <summary>What an eviction left.</summary>
internal sealed record EvictResult(long UsedBytes);
