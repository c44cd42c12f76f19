namespace Breakwater.Proxy.Snapshots;

/// <summary>One path asked for.</summary>
/// <param name="Order">Its place in the set.</param>
/// <param name="Pattern">Which path or paths.</param>
/// <param name="IsCatalogOnly">Only the catalogs on the way matter.</param>
/// <param name="Ranges">What of the file; null: all of it.</param>
internal readonly record struct WantedPath(int Order, PathPattern Pattern, bool IsCatalogOnly = false,
    IReadOnlyList<Stretch>? Ranges = null);
