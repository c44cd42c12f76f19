using Breakwater.CacheStore;

namespace Breakwater.Proxy.Snapshots;

/// <summary>An object of a resolved set.</summary>
/// <param name="Key">The object.</param>
/// <param name="Path">The file or directory that needs it; null for what belongs to the repository as a whole.</param>
internal readonly record struct ResolvedObject(ObjectKey Key, string? Path);
