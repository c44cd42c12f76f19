using Breakwater.CacheStore;

namespace Breakwater.Proxy.Snapshots;

/// <summary>A file found.</summary>
/// <param name="Order">The place in the set of what asked for it.</param>
/// <param name="Path">Its path.</param>
/// <param name="Objects">What to fetch, in the file's order.</param>
/// <param name="IsStoredPlain">The objects are the file's bytes, not zlib streams of them.</param>
internal sealed record ResolvedFile(int Order, string Path, IReadOnlyList<ObjectKey> Objects, bool IsStoredPlain);
