using System.Text.Json;
using Breakwater.Proxy.Commands.Lab;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Publishing;

/// <summary>One command from a directory to what machines boot.</summary>
public sealed class LabUpTests
{
    [Fact]
    public async Task Up_Twice_PublishesTrustsAndSaysWhatIsMissing()
    {
        using var bench = new PublishBench();
        bench.Write("etc/os-release", "lab");
        using var directory = new TemporaryDirectory();
        string settings = directory.Combine("settings.json");
        await File.WriteAllTextAsync(settings, JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["Store"] = new { Path = directory.Combine("store") },
            ["Repositories"] = new Dictionary<string, object>
            {
                [PublishBench.Fqrn] = new { Published = true },
                ["KeysDirectory"] = directory.Path,
            },
            ["Publish"] = new { Path = bench.Output, KeysDirectory = bench.KeysFolder },
        }));
        string dnsmasq = directory.Combine("lab.conf");
        string[] arguments =
        [
            "lab", "up", bench.Tree, "--repository", PublishBench.Fqrn, "--proxy", "10.0.0.5:3128",
            "--dnsmasq", dnsmasq, "--settings", settings,
        ];
        CommandResult first = await BreakwaterCommand.RunAsync(BreakwaterCommand.NoSettings, arguments);
        Assert.True(first.ExitCode == 0, first.Error);
        Assert.Contains("revision 1", first.Output, StringComparison.Ordinal);
        Assert.Contains("In Breakwater's store", first.Output, StringComparison.Ordinal);
        Assert.Contains("BootDirectory", first.Output, StringComparison.Ordinal);
        Assert.Equal(LabUpCommand.DnsmasqLines("10.0.0.5:3128"), await File.ReadAllTextAsync(dnsmasq));
        Assert.Equal(bench.Keys.ReadPublic(), await File.ReadAllTextAsync(directory.Combine(PublishBench.Fqrn + ".pub")));
        Assert.Contains((await bench.CurrentAsync()).Tags, tag => tag.Name == LabUpCommand.BootTag);

        CommandResult second = await BreakwaterCommand.RunAsync(BreakwaterCommand.NoSettings, arguments);
        Assert.True(second.ExitCode == 0, second.Error);
        Assert.Contains("stays at revision 1", second.Output, StringComparison.Ordinal);
    }
}
