namespace Breakwater.Mutation;

/// <summary>How a run of tests ended.</summary>
/// <param name="Failed">Tests that failed, as <c>Class.Method</c>.</param>
/// <param name="IsOver">False: the deadline was over, or the test host died.</param>
/// <param name="Ran">How many ran.</param>
internal sealed record TestRunResult(IReadOnlyList<string> Failed, bool IsOver, int Ran);
