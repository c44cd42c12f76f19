using Breakwater.CacheStore;

namespace Breakwater.Proxy.Guessing;

/// <summary>An object expected to be asked for.</summary>
/// <param name="Key">The object.</param>
/// <param name="Bytes">Bytes of its content as the catalog states them: what it takes on the wire is mostly less.</param>
/// <param name="Rule">Why.</param>
internal readonly record struct Guess(ObjectKey Key, long Bytes, GuessRule Rule);
