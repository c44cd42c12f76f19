using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Breakwater.Mutation;

/// <summary>Changes single lines of the code and looks whether a test notices. See README.md beside this file.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] arguments)
    {
        Options options;
        try
        {
            options = Options.Parse(arguments);
        }
        catch (ArgumentException wrong)
        {
            await Console.Error.WriteLineAsync(wrong.Message);
            return 2;
        }

        Stopwatch clock = Stopwatch.StartNew();
        string root = options.Tree is { } tree ? Path.GetFullPath(tree) : Root();
        SortedDictionary<string, List<Candidate>> rooms = Draw.Rooms(root);
        if (options.Room is { } only)
        {
            foreach (string room in rooms.Keys.ToList())
            {
                rooms[room].RemoveAll(c => !c.File.StartsWith(only, StringComparison.Ordinal));
                if (rooms[room].Count == 0)
                {
                    rooms.Remove(room);
                }
            }
        }

        Dictionary<string, int> shares = Draw.Shares(rooms, options.Count);
        Dictionary<string, List<Candidate>> ordered = rooms.ToDictionary(r => r.Key, r => Draw.Order(r.Value, options.Seed));
        if (options.IsList)
        {
            foreach ((string room, int share) in shares.OrderBy(s => s.Key, StringComparer.Ordinal))
            {
                Console.WriteLine($"{room}: {share} of {rooms[room].Count}");
                foreach (Candidate c in ordered[room].Take(share))
                {
                    Console.WriteLine($"  {c.File}:{c.Line} {c.Operator}: {c.Was} -> {c.Becomes}");
                }
            }

            return 0;
        }

        (Workspace workspace, IReadOnlyList<CompiledMutant> mutants) = Workspace.Build(root, ordered, shares);
        using (workspace)
        {
            IReadOnlyList<TestMethod> tests = await Coverage.RunAsync(workspace, options.Filter, options.Jobs);
            Judge judge = new(workspace, tests, options.BudgetSeconds);
            ConcurrentBag<Verdict> verdicts = [];
            await Parallel.ForEachAsync(mutants, new ParallelOptions { MaxDegreeOfParallelism = options.Jobs }, async (mutant, _) =>
            {
                Verdict verdict = await judge.JudgeAsync(mutant);
                verdicts.Add(verdict);
                Candidate c = mutant.Change;
                Console.WriteLine(
                    $"{verdicts.Count}/{mutants.Count} {verdict.Outcome} {c.File}:{c.Line} {c.Operator}: {c.Was} -> {c.Becomes}  "
                    + $"{verdict.By} ({verdict.TestsRun} tests, {verdict.Seconds:0} s)");
            });
            List<Verdict> all = [.. verdicts.OrderBy(v => v.Mutant.Change.File, StringComparer.Ordinal).ThenBy(v => v.Mutant.Change.Line)];
            Report.Save(options.Out ?? Path.Combine(Root(), "perf", "results"), string.Join(' ', arguments), all, clock.Elapsed);
            Console.WriteLine($"{100 * Report.Score(all):0.0} % of {all.Count} caught in {clock.Elapsed.TotalMinutes:0} minutes");
        }

        return 0;
    }

    private static string Root([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(here, "..", "..", ".."));
}
