namespace Breakwater.Mutation;

/// <summary>
/// Mutants that no test can see, each with its reason: <c>equivalents.tsv</c>, by the text of the line, so that they outlive edits
/// elsewhere.
/// </summary>
internal static class Equivalents
{
    private static readonly List<(string File, string Operator, string Code, string Reason)> s_all = Load();

    /// <summary>Why nobody can tell the mutant from the original; null: nothing is known.</summary>
    public static string? ReasonFor(Candidate change) =>
        s_all.Find(e => e.File == change.File && (e.Operator == "*" || e.Operator == change.Operator)
        && change.Code.Contains(e.Code, StringComparison.Ordinal)).Reason;

    private static List<(string File, string Operator, string Code, string Reason)> Load()
    {
        using StreamReader reader = new(typeof(Equivalents).Assembly.GetManifestResourceStream("equivalents.tsv")!);
        return [.. reader.ReadToEnd().Split('\n').Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split('\t')).Where(f => f.Length == 4).Select(f => (f[0], f[1], f[2], f[3]))];
    }
}
