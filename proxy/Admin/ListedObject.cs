using System.Runtime.CompilerServices;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Faster;
using Breakwater.CacheStore.Scrubbing;
using Breakwater.Proxy.Snapshots;

namespace Breakwater.Proxy.Admin;

/// <summary>An object of a listing.</summary>
internal sealed record ListedObject(string Key, long SizeBytes, bool IsPinned);
