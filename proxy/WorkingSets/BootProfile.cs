using Breakwater.Proxy.Snapshots;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>A boot in terms of paths, so that boots of different revisions can be compared.</summary>
/// <param name="Snapshots">The tags whose snapshot it mounted; <see cref="WorkingSet.Trunk"/> for the newest revision.</param>
/// <param name="Entries">What it read, in order; the share is 1.</param>
/// <param name="WholeDirectories">The directories of which it read nearly all.</param>
internal sealed record BootProfile(
    IReadOnlyList<string> Snapshots,
    IReadOnlyList<WorkingSetEntry> Entries,
    IReadOnlyList<string> WholeDirectories);
