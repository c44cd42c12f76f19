using Breakwater.CacheStore;

namespace Breakwater.Repositories;

/// <summary>A named snapshot of a repository.</summary>
/// <param name="Name">The name, such as <c>HEAD4</c>.</param>
/// <param name="RootCatalog">The snapshot's root catalog, kind <c>C</c>.</param>
/// <param name="Revision">Its revision.</param>
/// <param name="CreatedAt">When it was tagged.</param>
public sealed record Tag(string Name, ObjectKey RootCatalog, ulong Revision, DateTimeOffset CreatedAt)
{
    /// <summary>What its maker says of it.</summary>
    public string Description { get; init; } = "";

    /// <summary>Length of the root catalog once inflated; 0: not said.</summary>
    public long CatalogBytes { get; init; }
}
