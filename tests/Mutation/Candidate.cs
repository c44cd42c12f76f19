namespace Breakwater.Mutation;

/// <summary>A change of one line that could be made.</summary>
/// <param name="Room">The folder that it is in, e.g. <c>proxy/Fetching</c>.</param>
/// <param name="File">Path from the root of the tree.</param>
/// <param name="Line">From 1.</param>
/// <param name="Operator">The kind of change.</param>
/// <param name="Start">First character of the text that is replaced.</param>
/// <param name="Length">Its length; only the first line of it is shown.</param>
/// <param name="Was">What stands there.</param>
/// <param name="Becomes">What would.</param>
/// <param name="Rewritten">The text that has both, with <c>{0}</c> in place of the switch.</param>
/// <param name="Code">The whole line, trimmed: by this text equivalents are named.</param>
internal sealed record Candidate(
    string Room, string File, int Line, string Operator, int Start, int Length, string Was, string Becomes, string Rewritten, string Code);
