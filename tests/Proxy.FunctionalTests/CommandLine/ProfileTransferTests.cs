using System.Text.Json;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.CommandLine;

/// <summary>Working sets from one Breakwater to another, as an operator types it.</summary>
public sealed class ProfileTransferTests(RunningBreakwater breakwater) : IClassFixture<RunningBreakwater>
{
    [Fact]
    public async Task ExportAll_ImportedAfterRemoval_BringsEverySetBack()
    {
        using var directory = new TemporaryDirectory();
        string list = directory.Combine("list");
        string sets = directory.Combine("sets.json");
        string path = FixtureRepository.Tiny.Files.Keys.First(file => file.StartsWith("data/", StringComparison.Ordinal));
        await File.WriteAllTextAsync(list, $"/cvmfs/tiny.example.org/{path}\n/**\n");
        foreach (string name in (string[])["one", "two"])
        {
            CommandResult handed = await breakwater.RunAsync(["profile", "import", "tiny.example.org", name, list]);
            Assert.True(handed.ExitCode == 0, handed.Error);
        }

        CommandResult exported = await breakwater.RunAsync(["profile", "export", "--all", "tiny.example.org"]);
        await File.WriteAllTextAsync(sets, exported.Output);
        foreach (string name in (string[])["one", "two"])
        {
            Assert.Equal(0, (await breakwater.RunAsync(["profile", "remove", "tiny.example.org", name])).ExitCode);
        }

        CommandResult imported = await breakwater.RunAsync(["profile", "import", "--all", sets]);
        CommandResult again = await breakwater.RunAsync(["profile", "export", "--all"]);

        Assert.True(imported.ExitCode == 0, imported.Error);
        Assert.Equal(exported.Output, again.Output);
        string?[] names =
            [.. JsonDocument.Parse(again.Output).RootElement.EnumerateArray().Select(set => set.GetProperty("name").GetString())];
        Assert.Contains("one", names);
        Assert.Contains("two", names);
    }

    [Fact]
    public async Task ImportAll_OfWhatIsWrong_NamesEachAndTakesTheRest()
    {
        using var directory = new TemporaryDirectory();
        string sets = directory.Combine("sets.json");
        const string Good = """{"name":"good","repository":"tiny.example.org","entries":[{"path":"/bin/sh","literal":true}]}""";
        await File.WriteAllTextAsync(sets, $$"""[{{Good}}, {"name":"bad","repository":"nowhere.invalid","entries":[]}, 7]""");

        CommandResult result = await breakwater.RunAsync(["profile", "import", "--all", sets]);

        Assert.Equal(65, result.ExitCode);
        Assert.Contains("good of tiny.example.org", result.Output, StringComparison.Ordinal);
        Assert.Contains("bad of nowhere.invalid", result.Error, StringComparison.Ordinal);
        Assert.Contains("not a working set", result.Error, StringComparison.Ordinal);
        await File.WriteAllTextAsync(sets, "no list");
        result = await breakwater.RunAsync(["profile", "import", "--all", sets]);
        Assert.Equal(65, result.ExitCode);
        Assert.Contains("no list of working sets", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("export", "tiny.example.org")]
    [InlineData("export", "tiny.example.org", "set", "--all")]
    [InlineData("import", "tiny.example.org")]
    public async Task Profile_WithTooLittle_SaysWhatIsMissing(params string[] arguments)
    {
        CommandResult result = await breakwater.RunAsync(["profile", .. arguments]);

        Assert.Equal(64, result.ExitCode);
        Assert.Contains("--all", result.Error, StringComparison.Ordinal);
    }
}
