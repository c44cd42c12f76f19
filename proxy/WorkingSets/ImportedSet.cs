using Breakwater.Proxy.Snapshots;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>What an import made.</summary>
/// <param name="Set">The set.</param>
/// <param name="Unmatched">Its paths that the snapshot does not have.</param>
/// <param name="SkippedLines">Lines of a trace that its client had cut.</param>
internal sealed record ImportedSet(WorkingSet Set, IReadOnlyList<string> Unmatched, int SkippedLines);
