using System.Globalization;
using System.Text;
using Breakwater.Proxy.Snapshots;
using Breakwater.Repositories;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>Reads what operators and repositories hand in: the client's own trace, lists of paths, pin files.</summary>
internal static class GivenSets
{
    private const int MaxEntries = 1_000_000;

    /// <summary>Does this text look like the client's trace rather than a list of paths?</summary>
    public static bool IsTrace(string text) => text.TrimStart('\uFEFF').TrimStart().StartsWith('"');

    /// <summary>
    /// The CSV that the client writes with <c>CVMFS_TRACEFILE</c>: time in milliseconds, event, path, name. Opened files are read; of what
    /// was merely looked up, the catalogs are.
    /// </summary>
    /// <remarks>
    /// A path with a byte from 0x80 on makes the client's tracer stop the field there and leave out the closing quote, and a client that is
    /// killed leaves half a line: such lines are skipped.
    /// </remarks>
    /// <param name="csv">The trace.</param>
    /// <param name="skipped">Lines that were cut.</param>
    public static Parsed<IReadOnlyList<WorkingSetEntry>> ReadTrace(string csv, out int skipped)
    {
        skipped = 0;
        List<WorkingSetEntry> entries = [];
        Dictionary<string, int> known = new(StringComparer.Ordinal);
        double? start = null;
        foreach ((int number, string line) in Lines(csv))
        {
            bool isWhole = TrySplit(line, out List<string> fields);
            if (!isWhole && IsCut(line))
            {
                skipped++;
                continue;
            }

            if (!isWhole || fields.Count < 3
                || !double.TryParse(fields[0], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double time)
                || !double.IsFinite(time)
                || !int.TryParse(fields[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int code))
            {
                return new Malformed($"Line {number} is not a line of the client's trace: \"time\",\"event\",\"path\",\"name\".");
            }

            start ??= time;
            string path = fields[2];
            bool isOpen = code == 1;
            if (code is not (1 or 2 or 3 or 4 or 6) || path.Length == 0 || path[0] != '/')
            {
                continue;
            }

            var offset = TimeSpan.FromMilliseconds(Math.Clamp(time - start.Value, 0, 1e9));
            if (!known.TryGetValue(path, out int index))
            {
                known[path] = entries.Count;
                entries.Add(new WorkingSetEntry { Path = path, IsLiteral = true, IsCatalogOnly = !isOpen, Offset = offset });
            }
            else if (isOpen && entries[index].IsCatalogOnly)
            {
                entries[index] = entries[index] with { IsCatalogOnly = false };
            }

            if (entries.Count > MaxEntries)
            {
                return new Malformed($"The trace names more than {MaxEntries} paths.");
            }
        }

        return entries;
    }

    /// <summary>A list of paths, one a line, with globs; empty lines and lines that begin with <c>#</c> do not count.</summary>
    /// <param name="text">The lines.</param>
    /// <param name="prefix">The directory to which they are relative, absolute, empty for the root.</param>
    /// <param name="fqrn">The repository: <c>/cvmfs/</c> with its name before a path is left out. Null: not looked for.</param>
    public static Parsed<IReadOnlyList<WorkingSetEntry>> ReadPaths(string text, string prefix = "", Fqrn? fqrn = null)
    {
        List<WorkingSetEntry> entries = [];
        foreach ((int number, string line) in Lines(text))
        {
            string trimmed = line.Trim();
            if (trimmed.StartsWith('#'))
            {
                continue;
            }

            if (trimmed[0] is '!' or '^')
            {
                return new Malformed($"Line {number}: '{trimmed}': lines with ! or ^ are understood by 'seed export --paths' alone.");
            }

            if (fqrn is not null && WithoutMount(ref trimmed) is { } named && named != fqrn.ToString())
            {
                return new Malformed($"Line {number}: '{line.Trim()}' is a path of {named}, not of {fqrn}.");
            }

            if (!PathPattern.TryParse(prefix + "/" + trimmed.TrimStart('/'), out PathPattern pattern) || entries.Count == MaxEntries)
            {
                return new Malformed($"Line {number} is not a path: '{trimmed}'.");
            }

            entries.Add(new WorkingSetEntry { Path = pattern.Text });
        }

        return entries;
    }

    /// <summary>
    /// Takes <c>/cvmfs/</c> and a repository's name off a path, as clients see it; gives the name, or null when the path has none.
    /// </summary>
    public static string? WithoutMount(ref string path)
    {
        const string Mount = "/cvmfs/";
        if (!path.StartsWith(Mount, StringComparison.Ordinal))
        {
            return null;
        }

        int end = path.IndexOf('/', Mount.Length);
        string name = end < 0 ? path[Mount.Length..] : path[Mount.Length..end];
        if (!name.Contains('.', StringComparison.Ordinal))
        {
            return null;
        }

        path = end < 0 ? "/" : path[end..];
        return name;
    }

    /// <summary>The lines that are not empty, by the numbers that an editor shows.</summary>
    private static IEnumerable<(int Number, string Text)> Lines(string text) => text.TrimStart('\uFEFF').Split('\n')
        .Select((line, index) => (index + 1, line.TrimEnd('\r'))).Where(line => line.Item2.Trim().Length > 0);

    /// <summary>Does the line begin as one of a trace does, as far as it goes: time, then event?</summary>
    private static bool IsCut(string line)
    {
        string[] parts = line.Split(',');
        return parts.Length switch
        {
            1 => IsNumber(parts[0].Trim('"'), NumberStyles.AllowDecimalPoint),
            _ => IsNumber(parts[0].Trim('"'), NumberStyles.AllowDecimalPoint)
                && (parts.Length == 2 || IsNumber(parts[1].Trim('"'), NumberStyles.AllowLeadingSign)),
        };
    }

    private static bool IsNumber(string text, NumberStyles style) => double.TryParse(text, style, CultureInfo.InvariantCulture, out _);

    /// <summary>Fields in double quotes with commas between; a quote inside is doubled.</summary>
    private static bool TrySplit(string line, out List<string> fields)
    {
        fields = [];
        int at = 0;
        while (at < line.Length && line[at] == '"')
        {
            var field = new StringBuilder();
            for (at++; at < line.Length; at++)
            {
                if (line[at] == '"' && (at + 1 == line.Length || line[at + 1] != '"'))
                {
                    break;
                }

                at += line[at] == '"' ? 1 : 0;
                field.Append(line[at]);
            }

            if (at >= line.Length)
            {
                return false;
            }

            fields.Add(field.ToString());
            at++;
            if (at == line.Length)
            {
                return true;
            }

            if (line[at++] != ',')
            {
                return false;
            }
        }

        return false;
    }
}
