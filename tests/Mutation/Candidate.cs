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

/// <summary>A candidate that was drawn and compiled in.</summary>
/// <param name="Id">Its switch.</param>
/// <param name="Change">What it changes.</param>
internal sealed record CompiledMutant(int Id, Candidate Change);

/// <summary>How a mutant ended.</summary>
internal enum Outcome
{
    /// <summary>A test failed.</summary>
    Caught,

    /// <summary>A test hung, or the process of the tests died.</summary>
    CaughtByTimeout,

    /// <summary>All tests that reach the line passed.</summary>
    Survived,

    /// <summary>No test reaches the line.</summary>
    NotReached,

    /// <summary>The file of equivalents says why no test can see it.</summary>
    Equivalent,
}

/// <summary>What became of a mutant.</summary>
/// <param name="Mutant">It.</param>
/// <param name="Outcome">Its end.</param>
/// <param name="By">The test that failed, or the reason why it is equivalent.</param>
/// <param name="TestsRun">Test methods that were run against it.</param>
/// <param name="Seconds">What that took.</param>
internal sealed record Verdict(CompiledMutant Mutant, Outcome Outcome, string By, int TestsRun, double Seconds);
