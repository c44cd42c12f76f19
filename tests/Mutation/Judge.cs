using System.Diagnostics;

namespace Breakwater.Mutation;

/// <summary>Runs the nearest tests against a mutant.</summary>
/// <param name="workspace">Where it is compiled in.</param>
/// <param name="tests">All tests, with what they reach.</param>
/// <param name="budgetSeconds">So much of tests, as they take without a mutant, is run against one.</param>
internal sealed class Judge(Workspace workspace, IReadOnlyList<TestMethod> tests, double budgetSeconds)
{
    private const int MostTests = 120;

    /// <summary>Finds out whether a test notices.</summary>
    public async Task<Verdict> JudgeAsync(CompiledMutant mutant)
    {
        if (Equivalents.ReasonFor(mutant.Change) is { } reason)
        {
            return new Verdict(mutant, Outcome.Equivalent, reason, 0, 0);
        }

        Stopwatch clock = Stopwatch.StartNew();
        List<TestMethod> nearest = Nearest(mutant);
        int run = 0;
        foreach (string project in Workspace.Projects)
        {
            List<TestMethod> ofProject = nearest.FindAll(t => t.Project == project);
            if (ofProject.Count == 0)
            {
                continue;
            }

            run += ofProject.Count;
            string filter = string.Join('|', ofProject.Select(t => "FullyQualifiedName=" + t.Name));
            TimeSpan deadline = TimeSpan.FromSeconds(60 + (3 * ofProject.Sum(t => t.Seconds)));
            TestRunResult result =
                await TestRun.RunAsync(workspace.AssemblyOf(project), filter, mutant.Id, null, deadline, endsAtFirstFailure: true);
            if (result.Failed.Count > 0)
            {
                return new Verdict(mutant, Outcome.Caught, result.Failed[0], run, clock.Elapsed.TotalSeconds);
            }

            if (!result.IsOver)
            {
                return new Verdict(mutant, Outcome.CaughtByTimeout, project, run, clock.Elapsed.TotalSeconds);
            }
        }

        return new Verdict(mutant, run == 0 ? Outcome.NotReached : Outcome.Survived, "", run, clock.Elapsed.TotalSeconds);
    }

    /// <summary>
    /// Those of the file's own test class first, then of its room, then those that reach little else; as many as the budget has room for.
    /// </summary>
    private List<TestMethod> Nearest(CompiledMutant mutant)
    {
        string file = Path.GetFileNameWithoutExtension(mutant.Change.File).Split('.')[0];
        string room = "." + mutant.Change.Room.Split('/')[^1] + ".";
        List<TestMethod> chosen = [];
        double seconds = 0;
        foreach (TestMethod test in tests.Where(t => t.Reaches.Contains(mutant.Id))
            .OrderByDescending(t => t.Name.Contains("." + file + "Tests.", StringComparison.Ordinal))
            .ThenByDescending(t => t.Seconds < 2 && t.Name.Contains(room, StringComparison.Ordinal))
            .ThenBy(t => t.Seconds * (1 + t.Reaches.Count)))
        {
            if (chosen.Count > 0 && (seconds + test.Seconds > budgetSeconds || chosen.Count == MostTests))
            {
                continue;
            }

            chosen.Add(test);
            seconds += test.Seconds;
        }

        return chosen;
    }
}
