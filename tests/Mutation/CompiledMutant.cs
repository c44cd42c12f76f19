namespace Breakwater.Mutation;

/// <summary>A candidate that was drawn and compiled in.</summary>
/// <param name="Id">Its switch.</param>
/// <param name="Change">What it changes.</param>
internal sealed record CompiledMutant(int Id, Candidate Change);
