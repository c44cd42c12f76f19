using System.Text;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Seeding.Export;

/// <summary>
/// What <c>--paths</c> takes: a list of paths and globs, a client's trace, the URLs that a boot asked for, or a specification of the
/// client's cvmfs_shrinkwrap. A specification is a list with a line that begins with <c>!</c> or <c>^</c>; in it <c>/path/*</c> means all
/// below, <c>^/path/*</c> only what is directly there, <c>!/path</c> nothing of it.
/// </summary>
internal sealed class SeedPathList
{
    private readonly List<(WorkingSetEntry Entry, string? Fqrn)> _entries = [];
    private readonly List<(PathPattern Pattern, string? Fqrn)> _excluded = [];

    private SeedPathList()
    {
    }

    /// <summary>Is it a specification? Then a directory's own name means the directory alone.</summary>
    public bool IsSpecification { get; private init; }

    /// <summary>Lines of a trace that its client had cut.</summary>
    public int SkippedLines { get; private init; }

    /// <summary>Reads a file, whose bytes are those of the names: not every name is UTF-8.</summary>
    /// <param name="bytes">The file; UTF-16 with its mark is read as such.</param>
    /// <param name="repositories">Those that are exported: a path below another repository is refused.</param>
    public static Parsed<SeedPathList> Read(ReadOnlySpan<byte> bytes, IReadOnlyList<string> repositories) => Read(
        bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) ? Encoding.Unicode.GetString(bytes[2..])
        : bytes.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]) ? Encoding.BigEndianUnicode.GetString(bytes[2..])
        : PathText.Of(bytes),
        repositories);

    /// <summary>Reads it, whichever it is.</summary>
    /// <param name="text">The text.</param>
    /// <param name="repositories">Those that are exported: a path below another repository is refused.</param>
    public static Parsed<SeedPathList> Read(string text, IReadOnlyList<string> repositories)
    {
        if (GivenSets.IsTrace(text))
        {
            if (!GivenSets.ReadTrace(text, out int skipped).TryGet(out IReadOnlyList<WorkingSetEntry>? traced, out string? wrong))
            {
                return new Malformed(wrong);
            }

            var trace = new SeedPathList { SkippedLines = skipped };
            trace._entries.AddRange(traced.Select(entry => (entry, (string?)null)));
            return traced.Count == 0 ? new Malformed("It is a trace that names no path.") : trace;
        }

        string[] lines = [.. text.TrimStart('\uFEFF').Split('\n').Select(line => line.Trim())];
        var list = new SeedPathList { IsSpecification = Array.Exists(lines, line => line is ['!' or '^', ..]) };
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].Length > 0 && lines[i][0] != '#' && list.Add(lines[i], repositories) is { } problem)
            {
                return new Malformed($"Line {i + 1}: '{lines[i]}' {problem}");
            }
        }

        return list._entries.Count == 0 ? new Malformed("It names no path.") : list;
    }

    /// <summary>The entries as a working set of a repository.</summary>
    public WorkingSet ToSet(string fqrn, IReadOnlyList<string> tags) => new()
    {
        Name = "paths",
        Repository = Fqrn.Parse(fqrn),
        Source = WorkingSetSource.Given,
        Snapshots = tags.Count == 0 ? [WorkingSet.Trunk] : tags,
        Entries = [.. _entries.Where(item => item.Fqrn is null || item.Fqrn == fqrn).Select(item => item.Entry)],
        Excluded = [.. _excluded.Where(item => item.Fqrn is null || item.Fqrn == fqrn).Select(item => item.Pattern)],
    };

    /// <summary>Adds a line; what is wrong with it, or null.</summary>
    private string? Add(string line, IReadOnlyList<string> repositories)
    {
        char mark = line[0] is '!' or '^' ? line[0] : ' ';
        string path = mark == ' ' ? line : line[1..].Trim();
        if (Uri.TryCreate(path, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https")
        {
            path = url!.AbsolutePath;
        }

        bool isUrl = SeedPath.TryParse(path.TrimStart('/'), out SeedPath? requested);
        string? fqrn = isUrl ? requested!.Value.Fqrn : GivenSets.WithoutMount(ref path);
        if (!string.IsNullOrEmpty(fqrn) && !repositories.Contains(fqrn, StringComparer.Ordinal))
        {
            return $"belongs to {fqrn}, which is not exported.";
        }

        if (isUrl)
        {
            if (requested!.Value.Kind == SeedEntryKind.Object)
            {
                _entries.Add((new WorkingSetEntry { Key = requested.Value.Key }, fqrn));
            }

            return mark == ' ' ? null : "is a URL, not a path.";
        }

        // What a specification calls all below.
        bool isDeep = IsSpecification && mark == ' ' && path.EndsWith("/*", StringComparison.Ordinal);
        if (path.Length == 0 || !PathPattern.TryParse(isDeep ? path + "*" : path, out PathPattern pattern))
        {
            return "is not a path.";
        }

        if (mark == '!')
        {
            _excluded.Add((pattern, fqrn));
        }
        else
        {
            _entries.Add((new WorkingSetEntry { Path = pattern.Text }, fqrn));
        }

        return null;
    }
}
