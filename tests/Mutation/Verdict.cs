namespace Breakwater.Mutation;

/// <summary>What became of a mutant.</summary>
/// <param name="Mutant">It.</param>
/// <param name="Outcome">Its end.</param>
/// <param name="By">The test that failed, or the reason why it is equivalent.</param>
/// <param name="TestsRun">Test methods that were run against it.</param>
/// <param name="Seconds">What that took.</param>
internal sealed record Verdict(CompiledMutant Mutant, Outcome Outcome, string By, int TestsRun, double Seconds);
