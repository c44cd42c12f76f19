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
    [InlineData("deployment/ansible/README.md", @"breakwater_([0-9.]+)_")]
    [InlineData("docs/operate/quick-start.md", @"breakwater_([0-9.]+)_")]
    [InlineData("docs/operate/quick-start.md", @"release\.sh ([0-9.]+[0-9])")]
    public void Version_WhereverAFileNamesIt_IsThatOfTheProgram(string file, string pattern)
    {
        MatchCollection named = Regex.Matches(File.ReadAllText(Checkout.PathOf(file.Split('/'))), pattern);

        Assert.NotEmpty(named);
        Assert.All(named, one => Assert.Equal(s_version, one.Groups[1].Value));
    }

    [Fact]
    public void Version_HasAHeadingInTheChangelog() =>
        Assert.Contains($"\n## {s_version} (", File.ReadAllText(Checkout.PathOf("CHANGELOG.md")), StringComparison.Ordinal);

    [GeneratedRegex("<Version>([^<]+)</Version>")]
    private static partial Regex Version();
}
