using System.Text.RegularExpressions;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Deployment;

/// <summary>
/// A release has one version: whoever copies a line of the deployment files or the docs gets the program that they belong to.
/// </summary>
public sealed partial class VersionTests
{
    private static readonly string s_version = Version().Match(File.ReadAllText(Checkout.PathOf("Directory.Build.props"))).Groups[1].Value;

    [Theory]
    [InlineData("deployment/kubernetes/breakwater.yaml", @"image: breakwater:(\S+)")]
    [InlineData("deployment/kustomize/ten/kustomization.yaml", @"newTag: (\S+)")]
    public void Version_WhereverAFileNamesIt_IsThatOfTheProgram(string file, string pattern)
    {
        MatchCollection named = Regex.Matches(File.ReadAllText(Checkout.PathOf(file.Split('/'))), pattern);

        Assert.NotEmpty(named);
        Assert.All(named, one => Assert.Equal(s_version, one.Groups[1].Value));
    }

    // The pages' commands named the version before the release that they came with. The release fills in its own (documents.sh).
    [Fact]
    public void Pages_NameNoVersionOfTheProgram()
    {
        string[] pages =
        [
            .. Directory.EnumerateFiles(Checkout.PathOf("."), "*.md").Where(page => Path.GetFileName(page) != "CHANGELOG.md"),
            .. ((string[])["docs", "deployment", "perf"])
                .SelectMany(folder => Directory.EnumerateFiles(Checkout.PathOf(folder), "*.md", SearchOption.AllDirectories))
                .Where(page => !page.Contains("/node_modules/", StringComparison.Ordinal)),
        ];

        Assert.Equal([], pages.SelectMany(page => OwnVersion().Matches(File.ReadAllText(page)).Select(m => $"{page}: {m.Value}")));
        Assert.All((string[])["README.md", "docs/operate/quick-start.md"],
            page => Assert.Contains("breakwater_VERSION_amd64.deb", File.ReadAllText(Checkout.PathOf(page)), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("apt install ./breakwater_0.2.0_amd64.deb", true)]
    [InlineData("breakwater:0.2.0", true)]
    [InlineData("breakwater 0.2.0+b41c6d6", true)]
    [InlineData("deployment/release.sh 0.2.0", true)]
    [InlineData("breakwater_VERSION_amd64.deb, nginx 1.22.1", false)]
    public void OwnVersion_IsFound(string text, bool isOne) => Assert.Equal(isOne, OwnVersion().IsMatch(text));

    [Fact]
    public void Version_HasAHeadingInTheChangelog() =>
        Assert.Contains($"\n## {s_version} (", File.ReadAllText(Checkout.PathOf("CHANGELOG.md")), StringComparison.Ordinal);

    [GeneratedRegex(@"(breakwater(\+known)?[-_: ]|release\.sh )[0-9]+\.[0-9]+\.[0-9]+")]
    private static partial Regex OwnVersion();

    [GeneratedRegex("<Version>([^<]+)</Version>")]
    private static partial Regex Version();
}
