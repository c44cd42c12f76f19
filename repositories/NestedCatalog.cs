using Breakwater.CacheStore;

namespace Breakwater.Repositories;

/// <summary>A catalog that hangs below another one.</summary>
/// <param name="Path">Absolute path of the directory at which it begins.</param>
/// <param name="Catalog">Its object, kind <c>C</c>.</param>
/// <param name="SizeBytes">Its length once inflated, as stated by the parent; 0 when not stated.</param>
public sealed record NestedCatalog(string Path, ObjectKey Catalog, long SizeBytes);
