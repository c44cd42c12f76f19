using Breakwater.CacheStore;

namespace Breakwater.Proxy.Guessing;

/// <summary>A file whose content may say what is read next.</summary>
/// <param name="Path">Where it is in the tree.</param>
/// <param name="SizeBytes">Bytes of its content.</param>
/// <param name="IsStoredPlain">Are its objects as they are, not zlib streams?</param>
/// <param name="Objects">Its objects, in their order.</param>
internal sealed record GuessedFile(string Path, long SizeBytes, bool IsStoredPlain, IReadOnlyList<ObjectKey> Objects);
