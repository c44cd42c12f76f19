namespace Breakwater.Proxy.Snapshots;

/// <summary>
/// A path in a repository, or a glob over paths: <c>*</c> and <c>?</c> within one name, <c>**</c> for any number of directories.
/// Immutable.
/// </summary>
internal sealed class PathPattern
{
    private const int MaxLength = 4096;

    private PathPattern(string text, string[] segments, int literalSegments)
    {
        Text = text;
        Segments = segments;
        LiteralSegments = literalSegments;
    }

    /// <summary>As written, absolute, without a slash at the end; the root is empty.</summary>
    public string Text { get; }

    /// <summary>The names between the slashes.</summary>
    public IReadOnlyList<string> Segments { get; }

    /// <summary>How many names at the beginning are without a wildcard.</summary>
    public int LiteralSegments { get; }

    /// <summary>The part without wildcards, as an absolute path.</summary>
    public string LiteralPrefix => LiteralSegments == 0 ? "" : "/" + string.Join('/', Segments.Take(LiteralSegments));

    /// <summary>A path as it is: its characters mean themselves.</summary>
    public static PathPattern Literal(string path)
    {
        string[] segments = Split(path);
        return new PathPattern(path, segments, segments.Length);
    }

    /// <summary>All that is directly in a directory.</summary>
    public static PathPattern Children(string directory)
    {
        string[] segments = Split(directory);
        return new PathPattern(directory + "/*", [.. segments, "*"], segments.Length);
    }

    /// <summary>
    /// Reads what a user wrote: absolute or relative to the root. False: empty, too long, or with names that no path has.
    /// </summary>
    public static bool TryParse(string text, out PathPattern pattern)
    {
        string[] segments = text.Trim().Split('/', StringSplitOptions.RemoveEmptyEntries);
        bool isGood = text.Length is > 0 and <= MaxLength
            && !Array.Exists(segments, name => name is "." or ".." || name.Contains('\0', StringComparison.Ordinal));
        segments = isGood ? segments : [];
        int firstWild = Array.FindIndex(segments, IsWild);
        pattern = new PathPattern(segments.Length == 0 ? "" : "/" + string.Join('/', segments), segments, firstWild < 0
            ? segments.Length
            : firstWild);
        return isGood;
    }

    /// <summary>Does the name at that place match? <c>**</c> is not a name.</summary>
    public bool MatchesName(int segment, ReadOnlySpan<char> name) => Glob(Segments[segment], name);

    /// <summary>Does the whole path match?</summary>
    public bool Matches(string path) => Matches(0, Split(path), 0);

    /// <summary>Does the path, or a directory above it, match?</summary>
    public bool MatchesOrHolds(string path)
    {
        string[] names = Split(path);
        for (int count = names.Length; count >= Math.Min(1, Segments.Count); count--)
        {
            if (Matches(0, names[..count], 0))
            {
                return true;
            }
        }

        return false;
    }

    private static string[] Split(string path) => path.Length == 0 ? [] : path[1..].Split('/');

    private static bool IsWild(string segment) => segment.AsSpan().IndexOfAny('*', '?') >= 0;

    private bool Matches(int segment, string[] names, int at)
    {
        for (; segment < Segments.Count; segment++, at++)
        {
            if (segment >= LiteralSegments && Segments[segment] == "**")
            {
                for (int skip = at; skip <= names.Length; skip++)
                {
                    if (Matches(segment + 1, names, skip))
                    {
                        return true;
                    }
                }

                return false;
            }

            if (at == names.Length || !(segment < LiteralSegments ? Segments[segment] == names[at] : Glob(Segments[segment], names[at])))
            {
                return false;
            }
        }

        return at == names.Length;
    }

    /// <summary>The usual two-pointer match: linear but for the last star, so no input makes it explode.</summary>
    private static bool Glob(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        int p = 0;
        int n = 0;
        int star = -1;
        int resume = 0;
        while (n < name.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                resume = n;
            }
            else if (p < pattern.Length && (pattern[p] == '?' || pattern[p] == name[n]))
            {
                p++;
                n++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                n = ++resume;
            }
            else
            {
                return false;
            }
        }

        return pattern[p..].Trim('*').IsEmpty;
    }
}
