using Breakwater.Repositories;

namespace Breakwater.Proxy.Snapshots;

/// <summary>What paths mean in one snapshot.</summary>
/// <param name="Catalogs">The catalogs on the way, parents first, each with the path at which it begins.</param>
/// <param name="Files">The files found, each path once, in the order asked for.</param>
/// <param name="Found">The places in the set of what found something: a file, a link, or the directory whose catalog was asked for.</param>
/// <param name="Directories">The places of what named directories, of which nothing below was asked for.</param>
internal sealed record Resolution(IReadOnlyList<NestedCatalog> Catalogs, IReadOnlyList<ResolvedFile> Files, IReadOnlySet<int> Found,
    IReadOnlySet<int> Directories);
