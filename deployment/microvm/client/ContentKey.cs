using Breakwater.CacheStore;

namespace Breakwater.Mount;

/// <summary>A content: its object, how that is stored, and the length that it must have.</summary>
/// <param name="Object">The verified object.</param>
/// <param name="IsPlain">Stored as it is.</param>
/// <param name="SizeBytes">Length once inflated.</param>
internal readonly record struct ContentKey(ObjectKey Object, bool IsPlain, long SizeBytes);
