using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Breakwater.Mutation;

/// <summary>Saves the scores: a table by room for people, everything for programs.</summary>
internal static class Report
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    /// <summary>Writes <c>mutation.md</c> and <c>mutation.json</c>.</summary>
    public static void Save(string directory, string arguments, IReadOnlyList<Verdict> verdicts, TimeSpan took)
    {
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, "mutation.md"), Text(arguments, verdicts, took));
        File.WriteAllText(Path.Combine(directory, "mutation.json"), JsonSerializer.Serialize(
            new
            {
                arguments,
                minutes = Math.Round(took.TotalMinutes, 1),
                score = Math.Round(100 * Score(verdicts), 1),
                machine = $"{Environment.ProcessorCount} cores, .NET {Environment.Version}",
                mutants = verdicts.Select(v => new
                {
                    room = v.Mutant.Change.Room,
                    file = v.Mutant.Change.File,
                    line = v.Mutant.Change.Line,
                    change = v.Mutant.Change.Operator,
                    was = v.Mutant.Change.Was,
                    becomes = v.Mutant.Change.Becomes,
                    outcome = v.Outcome.ToString(),
                    by = v.By,
                    tests = v.TestsRun,
                    seconds = Math.Round(v.Seconds, 1),
                }),
            },
            s_json) + "\n");
    }

    /// <summary>The share that was caught of those that can be.</summary>
    public static double Score(IEnumerable<Verdict> verdicts)
    {
        List<Verdict> judged = [.. verdicts.Where(v => v.Outcome != Outcome.Equivalent)];
        return judged.Count == 0 ? 1 : (double)judged.Count(IsCaught) / judged.Count;
    }

    private static bool IsCaught(Verdict verdict) => verdict.Outcome is Outcome.Caught or Outcome.CaughtByTimeout;

    private static string Text(string arguments, IReadOnlyList<Verdict> verdicts, TimeSpan took)
    {
        StringBuilder text = new();
        text.Append("# Changes to the code, and whether a test notices\n\n");
        text.Append(CultureInfo.InvariantCulture,
            $"`dotnet run -c Release --project tests/Mutation -- {arguments}`: {verdicts.Count} mutants in "
                + $"{took.TotalMinutes:0} minutes, ");
        text.Append(CultureInfo.InvariantCulture, $"{100 * Score(verdicts):0.0} % caught. How: tests/Mutation/README.md.\n\n");
        text.Append("| room | caught | of | equivalent | % |\n|---|---|---|---|---|\n");
        foreach (IGrouping<string, Verdict> room in verdicts.GroupBy(v => v.Mutant.Change.Room).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            int equivalent = room.Count(v => v.Outcome == Outcome.Equivalent);
            text.Append(CultureInfo.InvariantCulture,
                $"| {room.Key} | {room.Count(IsCaught)} | {room.Count() - equivalent} | {equivalent} | {100 * Score(room):0} |\n");
        }

        Append(text, "Survivors", verdicts.Where(v => v.Outcome is Outcome.Survived or Outcome.NotReached),
            v => v.Outcome == Outcome.NotReached ? "no test reaches it" : $"{v.TestsRun} tests pass");
        Append(text, "Equivalents", verdicts.Where(v => v.Outcome == Outcome.Equivalent), v => v.By);
        return text.ToString();
    }

    private static void Append(StringBuilder text, string title, IEnumerable<Verdict> verdicts, Func<Verdict, string> remark)
    {
        text.Append(CultureInfo.InvariantCulture, $"\n## {title}\n\n| where | change | was | becomes | |\n|---|---|---|---|---|\n");
        foreach (Verdict verdict in verdicts)
        {
            Candidate change = verdict.Mutant.Change;
            text.Append(CultureInfo.InvariantCulture,
                $"| {change.File} {change.Line} | {change.Operator} | {Cell(change.Was)} | {Cell(change.Becomes)} | {remark(verdict)} |\n");
        }
    }

    private static string Cell(string code) => code.Length == 0 ? "" : "`" + code.Replace("|", "\\|", StringComparison.Ordinal) + "`";
}
