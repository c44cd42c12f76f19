using Breakwater.CacheStore;

namespace Breakwater.Repositories;

/// <summary>One chunk of a file.</summary>
/// <param name="Offset">Where it begins in the file, bytes.</param>
/// <param name="SizeBytes">Its length once inflated.</param>
/// <param name="Object">Its object, kind <c>P</c>.</param>
public readonly record struct CatalogChunk(long Offset, long SizeBytes, ObjectKey Object);
