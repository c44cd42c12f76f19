using System.Text.Json;
using Breakwater.Proxy.Commands.Demo;

namespace Breakwater.Proxy.FunctionalTests.Demo;

/// <summary>The whole demo, as a user runs it, with a small storm.</summary>
public sealed class DemoTests
{
    [Fact]
    public async Task Demo_SmallStorm_OneJsonObjectWithWhatMustBe()
    {
        (int exitCode, string output, string error) = await RunAsync("demo", "--vms", "3", "--rtt", "5", "--json");
        Assert.True(exitCode == 0, error + output);
        using JsonDocument report = JsonDocument.Parse(output);
        JsonElement[] phases = [.. report.RootElement.GetProperty("phases").EnumerateArray()];
        Assert.Equal(["cold", "warm", "restart", "revision"], phases.Select(p => p.GetProperty("name").GetString()));
        Assert.Equal([211, 211, 211, 212], phases.Select(p => p.GetProperty("distinctObjects").GetInt32()));
        Assert.Equal([211, 0, 0, 0], phases.Select(p => p.GetProperty("upstreamObjectRequests").GetInt32()));
        Assert.Equal([0, 0, 0, 13], phases.Select(p => p.GetProperty("prefetchRequests").GetInt32()));
        foreach (JsonElement phase in phases)
        {
            Assert.Equal(3, phase.GetProperty("boots").GetInt32());
            Assert.True(phase.GetProperty("requests").GetInt32() >= 3 * 213);
            Assert.All(["wrongBodies", "errors", "exiles"], name => Assert.Equal(0, phase.GetProperty(name).GetInt32()));
            Assert.All(
                ["hitRatio", "bootP50Ms", "bootP99Ms", "bootMaxMs", "firstByteMaxMs"],
                name => Assert.True(phase.GetProperty(name).GetDouble() > 0, name));
        }

        Assert.Contains("Try next", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--vms", "many")]
    [InlineData("--vms", "0")]
    [InlineData("--rtt", "soon")]
    [InlineData("--rtt", "-1")]
    public void Demo_WhatIsNoNumber_IsToldSo(string option, string value) =>
        Assert.Contains(DemoCommand.Create().Parse([option, value]).Errors,
        error => error.Message.StartsWith(option, StringComparison.Ordinal));

    [Fact]
    public async Task Demo_ForPeople_TableOnStandardOutput()
    {
        (int exitCode, string output, _) = await RunAsync("demo", "--vms", "2", "--rtt", "0");
        Assert.Equal(0, exitCode);
        Assert.All(["cold", "warm", "restart", "revision", "exiles", "Try next"],
            word => Assert.Contains(word, output, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--vms", "0", "--vms")]
    [InlineData("--vms", "99999999", "ulimit -n")]
    [InlineData("--rtt", "-1", "--rtt")]
    public async Task Demo_WrongOption_SaysWhatToDo(string option, string value, string expected)
    {
        (int exitCode, string output, string error) = await RunAsync("demo", option, value, "--json");
        Assert.NotEqual(0, exitCode);
        Assert.Contains(expected, error + output, StringComparison.Ordinal);
    }

    [Fact]
    public void Percentile_OfFewAndMany_IsNearestRank()
    {
        double[] hundred = [.. Enumerable.Range(1, 100).Select(i => (double)i)];
        Assert.Equal((50, 99, 100),
            (PhaseResult.Percentile(hundred, 0.5), PhaseResult.Percentile(hundred, 0.99), PhaseResult.Percentile(hundred, 1)));
        Assert.Equal((7, 7), (PhaseResult.Percentile([7], 0.5), PhaseResult.Percentile([7], 0.99)));
        Assert.Equal(0, PhaseResult.Percentile([], 0.5));
    }

    private static Task<CommandResult> RunAsync(params string[] arguments) =>
        BreakwaterCommand.RunAsync(BreakwaterCommand.NoSettings, arguments);
}
