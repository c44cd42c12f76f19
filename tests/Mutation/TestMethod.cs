namespace Breakwater.Mutation;

/// <summary>A test method, and what is known of it from the run without a mutant.</summary>
/// <param name="Project">Its project.</param>
/// <param name="Name">Namespace, class and method.</param>
internal sealed record TestMethod(string Project, string Name)
{
    /// <summary>How long all of its cases took.</summary>
    public double Seconds { get; set; }

    /// <summary>Mutants whose lines it reaches.</summary>
    public HashSet<int> Reaches { get; } = [];
}
