using System.Text.RegularExpressions;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Architecture;

/// <summary>Every link of a page leads to a file that is in the repository, and to a heading that is in the file.</summary>
public sealed partial class DocsLinksTests
{
    private static readonly string[] s_folders = ["docs", "perf", "deployment"];

    [Fact]
    public void Links_OfAllPages_LeadSomewhere()
    {
        List<string> broken = [];
        int links = 0;
        foreach (string page in Pages())
        {
            foreach (string link in PageLinks.Of(page))
            {
                links++;
                if (PageLinks.ProblemOf(page, link) is { } problem)
                {
                    broken.Add($"{Path.GetRelativePath(Checkout.PathOf("."), page)}: {link} {problem}");
                }
            }
        }

        Assert.True(links > 50, $"Only {links} links were found.");
        Assert.True(broken.Count == 0, string.Join('\n', broken));
    }

    [Theory]
    [InlineData("no-such-page.md", "no such file")]
    [InlineData("#no-such-heading", "no such heading")]
    [InlineData("docs/operate/settings.md#declared-state", null)]
    [InlineData("https://example.org/x", null)]
    public void ProblemOf_ALinkOfTheReadme_IsSeen(string link, string? problem) =>
        Assert.Equal(problem, PageLinks.ProblemOf(Checkout.PathOf("README.md"), link));

    // The first line of the log named docs/sizing.md, which had moved.
    [Fact]
    public void Pages_NamedInCodeAndScripts_AreThere()
    {
        string[] kinds = [".cs", ".py", ".sh", ".js", ".json", ".yaml", ".yml", ".service", ".socket"];
        (string File, string Page)[] named =
        [
            .. ((string[])["proxy", "cachestore", "repositories", "deployment", "perf"])
                .SelectMany(folder => Directory.EnumerateFiles(Checkout.PathOf(folder), "*", SearchOption.AllDirectories))
                .Where(file => kinds.Contains(Path.GetExtension(file)) && !BuildOutput().IsMatch(file))
                .SelectMany(file => NamedPage().Matches(File.ReadAllText(file)).Select(match => (file, match.Value))),
        ];

        Assert.NotEmpty(named);
        Assert.DoesNotContain(named, one => !File.Exists(Checkout.PathOf(one.Page.Split('/'))));
    }

    // A page sent its readers to proxy/Observability/RequestOutcome, which had moved to proxy/Outcomes.
    [Fact]
    public void Code_NamedInPages_IsThere()
    {
        string[] named = [.. Pages().Where(page => !page.Contains("/adr/", StringComparison.Ordinal))
            .SelectMany(page => NamedCode().Matches(File.ReadAllText(page)))
            .Select(match => match.Groups[1].Value.TrimEnd('/')).Distinct()];

        Assert.True(named.Length > 50, $"Only {named.Length} were found.");
        Assert.DoesNotContain(named, code => !IsCode(code));
    }

    /// <summary>A folder, a file, a type in a folder, or a member of one.</summary>
    private static bool IsCode(string name)
    {
        string path = Checkout.PathOf(name.Split('/'));
        return Path.Exists(path) || File.Exists(path + ".cs") || File.Exists(Path.ChangeExtension(path, ".cs"));
    }

    private static IEnumerable<string> Pages() =>
        Directory.EnumerateFiles(Checkout.PathOf("."), "*.md")
            .Concat(s_folders.SelectMany(folder => Directory.EnumerateFiles(Checkout.PathOf(folder), "*.md", SearchOption.AllDirectories)))
            .Where(page => !page.Contains("/bin/", StringComparison.Ordinal) && !page.Contains("/obj/", StringComparison.Ordinal));

    [GeneratedRegex("/(bin|obj|node_modules|results)/")]
    private static partial Regex BuildOutput();

    [GeneratedRegex(@"\bdocs/[A-Za-z0-9_/-]+\.md")]
    private static partial Regex NamedPage();

    [GeneratedRegex(@"`((?:proxy|cachestore|repositories|perf|tests|deployment)/(?!bin/)[A-Za-z0-9_./-]+)`")]
    private static partial Regex NamedCode();
}
