namespace Breakwater.Proxy.Admin;

/// <summary>What to warm. Without paths, working set and all: every working set of the repository.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Tag">The tag; null: what the sets name, else the newest revision.</param>
/// <param name="Paths">Paths and globs.</param>
/// <param name="WorkingSet">Name of a set.</param>
/// <param name="All">Everything in the snapshot.</param>
/// <param name="Name">Under which name it is pinned; null: made of tag and set.</param>
internal sealed record WarmOrder(string Repository, string? Tag = null, IReadOnlyList<string>? Paths = null, string? WorkingSet = null,
    bool All = false, string? Name = null);
