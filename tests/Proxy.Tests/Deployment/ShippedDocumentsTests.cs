using System.Text.RegularExpressions;
using Breakwater.Proxy.Tests.Architecture;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Deployment;

/// <summary>
/// What the archives and packages bring to read (deployment/documents.sh): it holds without the repository, and speaks of the release that
/// it came with.
/// </summary>
public sealed partial class ShippedDocumentsTests : IDisposable
{
    private readonly TemporaryDirectory _shipped = new();

    public void Dispose() => _shipped.Dispose();

    // The README of the archive led to files that were in the repository alone, and the package had no docs/README.md.
    [Fact]
    public async Task Links_OfAllShippedPages_LeadToWhatIsShipped()
    {
        await ReleaseScript.LayOutDocumentsAsync(_shipped.Path);
        string[] pages = Directory.GetFiles(_shipped.Path, "*.md", SearchOption.AllDirectories);

        (string Page, string Link)[] links = [.. pages.SelectMany(page => PageLinks.Of(page).Select(link => (page, link)))];
        Assert.Equal([], links.Where(one => PageLinks.ProblemOf(one.Page, one.Link) is not null || LeadsOut(one.Page, one.Link)));
        Assert.True(links.Length > 100, $"Only {links.Length} links were found.");
        Assert.Contains(_shipped.Combine("docs", "README.md"), pages);
        Assert.Equal(Relative(Checkout.PathOf("docs"), "*"), Relative(_shipped.Combine("docs"), "*"));
    }

    [Theory]
    [InlineData("README.md", "see [x](docs/there.md#a) and [y](https://example.org/)", null)]
    [InlineData("README.md", "see [x](docs/absent.md)", "README.md: the link to docs/absent.md leads nowhere")]
    [InlineData("docs/there.md", "![x](../absent.png)", "docs/there.md: the link to ../absent.png leads nowhere")]
    [InlineData("docs/there.md", "[a](../docs) [x](../../outside.md)", "docs/there.md: the link to ../../outside.md leads nowhere")]
    [InlineData("README.md", "```\n[x](absent.md)\n```", null)]
    [InlineData("README.md", "by `deployment/release.sh 1.2.3`", "README.md: `deployment/release.sh 1.2.3` is not shipped")]
    [InlineData("README.md", "by `deployment/release.sh` of the source, `docs/there.md`, `not/in/either`", null)]
    public async Task Check_ALinkThatLeadsNowhere_FailsAndNamesIt(string page, string text, string? said)
    {
        Directory.CreateDirectory(_shipped.Combine("tree", "docs"));
        File.WriteAllText(_shipped.Combine("outside.md"), "");
        File.WriteAllText(_shipped.Combine("tree", "docs", "there.md"), "# a\n");
        File.WriteAllText(_shipped.Combine(["tree", .. page.Split('/')]), text + "\n");

        ReleaseScript check = await ReleaseScript.RunAsync("documents.sh", "--check", _shipped.Combine("tree"));

        Assert.Equal(said is null ? 0 : 1, check.ExitCode);
        Assert.StartsWith(said ?? "", check.Error, StringComparison.Ordinal);
        Assert.Equal(said is null, check.Error.Length == 0);
    }

    // Pages of the archive named files that only a checkout has, as if they were beside them.
    [Fact]
    public async Task Paths_OfTheCode_AreSaidToBeOfTheSource()
    {
        await ReleaseScript.LayOutDocumentsAsync(_shipped.Path);

        string upgrade = File.ReadAllText(_shipped.Combine("docs", "operate", "upgrade.md"));
        Assert.Contains("(`perf/Faults/restart.py` of the source)", upgrade, StringComparison.Ordinal);
        Assert.Contains("`deployment/debian/try.sh OLD NEW` of the source", upgrade, StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.GetFiles(_shipped.Path, "*.md", SearchOption.AllDirectories),
            page => File.ReadAllText(page).Contains("of the source of the source", StringComparison.Ordinal));
    }

    /// <summary>Each archive and package has this tree, checked as it is packed.</summary>
    [Theory]
    [InlineData("release.sh")]
    [InlineData("debian/build.sh")]
    [InlineData("rpm/build.sh")]
    public void Documents_OfEveryArchive_AreTheseAndChecked(string script)
    {
        string text = File.ReadAllText(Checkout.PathOf(["deployment", .. script.Split('/')]));

        Assert.Matches(@"documents\.sh""? ""\$version""", text);
        Assert.Matches(@"documents\.sh""? --check", text);
        Assert.DoesNotMatch(@"cp [^\n]*(/docs|README|/examples)", text);
    }

    [Fact]
    public async Task Commands_OfShippedPages_NameTheirRelease()
    {
        await ReleaseScript.LayOutDocumentsAsync(_shipped.Path);
        string[] files = Directory.GetFiles(_shipped.Path, "*", SearchOption.AllDirectories);
        string[] texts = [.. files.Where(file => Path.GetExtension(file) is ".md" or ".yaml" && !file.EndsWith("CHANGELOG.md",
            StringComparison.Ordinal)).Select(File.ReadAllText)];

        string[] named = [.. texts.SelectMany(text => OwnVersion().Matches(text).Select(m => m.Groups[1].Value))];
        Assert.Equal(["9.8.7"], named.Distinct());
        Assert.True(named.Length > 10, $"Only {named.Length} were found.");
        Assert.DoesNotContain(texts, text => Placeholder().IsMatch(text));
        bool hasUnreleased = File.ReadLines(Checkout.PathOf("CHANGELOG.md")).Contains("## Unreleased");
        string[] headings = [.. File.ReadLines(_shipped.Combine("CHANGELOG.md")).Where(line => line.StartsWith('#'))];
        Assert.DoesNotContain("## Unreleased", headings);
        Assert.Equal(hasUnreleased, headings.Contains("## 9.8.7 (2026-12-01)"));
    }

    // The changelog of an archive began with "## Unreleased" where the version had lines of its own already.
    [Fact]
    public async Task Changelog_OfAVersionWithUnreleasedChanges_HasItsHeadingOnce()
    {
        string version = File.ReadLines(Checkout.PathOf("CHANGELOG.md"))
            .First(line => line.StartsWith("## ", StringComparison.Ordinal) && char.IsAsciiDigit(line[3])).Split(' ')[1];

        ReleaseScript made = await ReleaseScript.RunAsync("documents.sh", version, _shipped.Path);

        Assert.True(made.ExitCode == 0, made.Error);
        string[] headings =
            [.. File.ReadLines(_shipped.Combine("CHANGELOG.md")).Where(line => line.StartsWith("## ", StringComparison.Ordinal))];
        Assert.StartsWith($"## {version} (", headings[0], StringComparison.Ordinal);
        Assert.Single(headings, heading => heading.StartsWith($"## {version} ", StringComparison.Ordinal));
    }

    /// <summary>They began with "## Unreleased".</summary>
    [Theory]
    [InlineData("## Unreleased\n\n- a\n  b\n\n## 9.8.6 (2026-11-28)\n\n- c\n", "- a\n  b\n")]
    [InlineData("## 9.8.7 (2026-12-01)\n\n- a\n\n## 9.8.70 (2026-11-28)\n\n- c\n", "- a\n")]
    [InlineData("## Unreleased\n\n- a\n\n## 9.8.7 (2026-11-28)\n\n- c\n", "- a\n- c\n")]
    [InlineData("## Unreleased\n\nIn short.\n\n- a\n\n## 9.8.7 (2026-11-28)\n\nMore.\n\nMind.\n\n- b\n  c\n",
        "In short.\n\nMore.\n\nMind.\n\n- a\n- b\n  c\n")]
    [InlineData("## 9.8.6 (2026-11-28)\n\n- c\n", null)]
    public async Task Notes_OfARelease_HaveItsTitleAndNoOtherHeading(string changelog, string? lines)
    {
        File.WriteAllText(_shipped.Combine("CHANGELOG.md"), "# Changelog\n\n" + changelog);

        ReleaseScript notes = await ReleaseScript.RunAsync("documents.sh", "--notes", "9.8.7", _shipped.Combine("CHANGELOG.md"));

        Assert.Equal(lines is null ? "" : "# Breakwater 9.8.7\n\n" + lines, notes.Output);
        Assert.Equal(lines is null ? 1 : 0, notes.ExitCode);
    }

    /// <summary>People who have only a release have no SDK.</summary>
    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/operate/quick-start.md")]
    public void FirstCommand_NeedsNoSdk(string page)
    {
        string text = File.ReadAllText(Checkout.PathOf(page.Split('/')));

        int package = text.IndexOf("apt install ./breakwater", StringComparison.Ordinal);
        int sdk = text.IndexOf("dotnet ", StringComparison.Ordinal);
        Assert.True(package >= 0 && (sdk < 0 || package < sdk), $"{package}, {sdk}");
        Assert.Contains("#a-warning-about-cubic-at-the-start", text, StringComparison.Ordinal);
    }

    private bool LeadsOut(string page, string link) =>
        !link.Contains(':', StringComparison.Ordinal) && !link.StartsWith('#')
        && !Path.GetFullPath(Path.Combine(Path.GetDirectoryName(page)!, link)).StartsWith(_shipped.Path + "/", StringComparison.Ordinal);

    private static IEnumerable<string> Relative(string folder, string pattern) =>
        Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder, file))
            .Order(StringComparer.Ordinal);

    [GeneratedRegex(@"(?:breakwater[-_:]|newTag: )([0-9]+\.[0-9]+\.[0-9]+)")]
    private static partial Regex OwnVersion();

    [GeneratedRegex(@"breakwater[-_:]VERSION|`VERSION`")]
    private static partial Regex Placeholder();
}
