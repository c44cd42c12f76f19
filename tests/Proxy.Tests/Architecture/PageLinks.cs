using System.Text.RegularExpressions;

namespace Breakwater.Proxy.Tests.Architecture;

/// <summary>The links of Markdown pages, and what is wrong with them.</summary>
internal static partial class PageLinks
{
    /// <summary>The links of a page; what stands in blocks of code is none.</summary>
    public static string[] Of(string page) =>
        [.. Link().Matches(CodeBlock().Replace(File.ReadAllText(page), "")).Select(link => link.Groups[1].Value)];

    /// <summary>What is wrong with a link of a page; null: it leads to a file, and to a heading of it, or out into the web.</summary>
    public static string? ProblemOf(string page, string link)
    {
        if (Scheme().IsMatch(link))
        {
            return null;
        }

        string[] parts = link.Split('#', 2);
        string target = parts[0].Length == 0 ? page : Path.Combine(Path.GetDirectoryName(page)!, parts[0]);
        if (!Path.Exists(target))
        {
            return "no such file";
        }

        return parts.Length == 1 || !target.EndsWith(".md", StringComparison.Ordinal)
            || Heading().Matches(File.ReadAllText(target)).Select(heading => AnchorOf(heading.Groups[1].Value)).Contains(parts[1])
            ? null
            : "no such heading";
    }

    /// <summary>The name that a heading's anchor gets: lower case, no punctuation, hyphens for spaces.</summary>
    private static string AnchorOf(string heading) =>
        new([.. heading.Trim().ToLowerInvariant()
            .Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_').Select(c => c == ' ' ? '-' : c)]);

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"```.*?```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"^[a-z]+:", RegexOptions.None)]
    private static partial Regex Scheme();

    [GeneratedRegex(@"^#+ (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();
}
