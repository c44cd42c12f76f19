namespace Breakwater.Mutation;

/// <summary>Tests that one process runs.</summary>
/// <param name="Project">Their project.</param>
/// <param name="Name">What they are called.</param>
/// <param name="Filter">Which of the project's (a vstest filter); null: all.</param>
internal sealed record TestPart(string Project, string Name, string? Filter);
