namespace Breakwater.Proxy.Snapshots;

/// <summary>An entry of a set that a snapshot does not have.</summary>
/// <param name="Entry">The entry.</param>
/// <param name="IsDirectory">It names directories, of which nothing below is asked for.</param>
internal readonly record struct UnmatchedEntry(WorkingSetEntry Entry, bool IsDirectory);
