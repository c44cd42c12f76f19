using System.CommandLine;
using Breakwater.Proxy.Commands.Seed;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Seeding;

public sealed class SeedCommandTests
{
    [Fact]
    public async Task Export_FromAServerByItsUrl_WritesTheBundleAndLeavesNoStoreBehind()
    {
        FixtureRepository tiny = FixtureRepository.Load("tiny.example.org");
        await using ScriptedUpstream upstream = ScriptedUpstream.Serving([tiny]);
        using var directory = new TemporaryDirectory();
        string output = directory.Combine("tiny.tar");

        int code = await SeedCommand.Create().Parse(["export", tiny.Fqrn, "--all", "--from", upstream.Address, "-o", output]).InvokeAsync();

        Assert.Equal(0, code);
        Assert.Equal([output], Directory.EnumerateFileSystemEntries(directory.Path));
    }

    [Theory]
    [InlineData("cvmfs.example.org")]
    [InlineData("ftp://cvmfs.example.org/")]
    public void Export_FromWhatIsNoUrlOfAServer_IsToldSo(string from) =>
        Assert.Contains(from, Assert.Single(SeedCommand.Create().Parse(["export", "tiny.example.org", "--all", "--from", from]).Errors).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("--all", "--revision", "3", "--tag", "HEAD4")]
    [InlineData("--whitelist-only", "--tag", "HEAD4")]
    [InlineData("--whitelist-only", "--revision", "3")]
    public void Export_OptionsThatWouldBeIgnored_AreRefused(params string[] options) =>
        Assert.Single(SeedCommand.Create().Parse(["export", "tiny.example.org", .. options]).Errors);

    [Fact]
    public async Task Export_IntoADirectoryThatIsNotThere_FailsBeforeItFetches()
    {
        FixtureRepository tiny = FixtureRepository.Load("tiny.example.org");
        await using ScriptedUpstream upstream = ScriptedUpstream.Serving([tiny]);
        using var directory = new TemporaryDirectory();

        int code = await SeedCommand.Create().Parse(["export", tiny.Fqrn, "--all", "--from", upstream.Address, "-o", directory.Combine("missing", "tiny.tar")]).InvokeAsync();

        Assert.NotEqual(0, code);
        Assert.Equal(0, upstream.RequestCount(tiny.UrlPath(".cvmfspublished")));
    }
}
