using Breakwater.CacheStore;

namespace Breakwater.Proxy.Boots;

/// <summary>An object that a boot asked for.</summary>
/// <param name="Key">The object.</param>
/// <param name="Offset">Time since the boot's first request.</param>
internal readonly record struct BootRead(ObjectKey Key, TimeSpan Offset);
