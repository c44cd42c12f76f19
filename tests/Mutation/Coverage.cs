using System.Collections.Concurrent;
using System.Globalization;

namespace Breakwater.Mutation;

/// <summary>
/// Which test reaches which mutant's line: one run of all tests, with no mutant switched on. Within a process they run one after the other,
/// and several processes go beside each other, since tests wait more than they work.
/// </summary>
internal static class Coverage
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromMinutes(25);

    /// <summary>Runs the tests of the projects. Tests that fail without a mutant are left out, and named.</summary>
    public static async Task<IReadOnlyList<TestMethod>> RunAsync(Workspace workspace, string? filter, int jobs)
    {
        ConcurrentBag<TestMethod> all = [];
        await Parallel.ForEachAsync(
            workspace.Parts(), new ParallelOptions { MaxDegreeOfParallelism = jobs }, async (part, _) =>
        {
            string logs = Directory.CreateTempSubdirectory("breakwater-reached-").FullName;
            string? both = filter is null || part.Filter is null ? filter ?? part.Filter : $"({filter})&({part.Filter})";
            TestRunResult result =
                await TestRun.RunAsync(workspace.AssemblyOf(part.Project), both, null, Path.Combine(logs, "log"), s_deadline,
                endsAtFirstFailure: false);
            List<TestMethod> methods = Read(part.Project, Directory.GetFiles(logs));
            Directory.Delete(logs, recursive: true);
            Console.WriteLine(string.Join(Environment.NewLine,
                [$"{part.Name}: {result.Ran} tests in {methods.Sum(m => m.Seconds):0} s{(result.IsOver ? "" : " and did not end")}",
                .. result.Failed.Distinct().Select(failed => $"  fails without a mutant, left out: {failed}")]));
            foreach (TestMethod method in methods.Where(m => !result.Failed.Contains(m.Name)))
            {
                all.Add(method);
            }
        });
        return [.. all];
    }

    private static List<TestMethod> Read(string project, IReadOnlyList<string> files)
    {
        // Even sequence numbers lie between two tests: what is reached there belongs to both, one ends and the other begins.
        Dictionary<int, TestMethod> bySequence = [];
        Dictionary<int, long> began = [];
        Dictionary<string, TestMethod> byName = new(StringComparer.Ordinal);
        List<(int Sequence, int Mutant)> reached = [];
        foreach (string[] fields in files.SelectMany(File.ReadLines).Select(line => line.Split('\t')))
        {
            if (fields.Length < 2 || !int.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out int sequence))
            {
                continue;
            }

            if (fields[1].StartsWith('#'))
            {
                reached.Add((sequence, int.Parse(fields[1].AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture)));
            }
            else if (fields.Length == 3)
            {
                long time = long.Parse(fields[2], CultureInfo.InvariantCulture);
                began[sequence] = time;
                if (fields[1].Length > 0)
                {
                    bySequence[sequence] = byName.TryGetValue(fields[1], out TestMethod? known)
                        ? known
                        : byName[fields[1]] = new TestMethod(project, fields[1]);
                }
            }
        }

        foreach ((int sequence, TestMethod test) in bySequence)
        {
            test.Seconds += began.TryGetValue(sequence + 1, out long ended) ? (ended - began[sequence]) / 1000.0 : 0;
        }

        foreach ((int sequence, int mutant) in reached)
        {
            foreach (int near in (int[])[sequence, sequence - 1, sequence + 1])
            {
                if (bySequence.TryGetValue(near, out TestMethod? test))
                {
                    test.Reaches.Add(mutant);
                }
            }
        }

        return [.. byName.Values];
    }
}
