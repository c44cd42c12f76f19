using System.Net;
using System.Net.Sockets;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.CommandLine;

/// <summary>The exit codes on which deployment/systemd/breakwater.service decides whether to try again.</summary>
public sealed class ServeExitCodeTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Serve_WrongSettings_78()
    {
        CommandResult result = await ServeAsync("not an address");

        Assert.Equal(78, result.ExitCode);
        Assert.Contains("Proxy:Listen", result.Error, StringComparison.Ordinal);
    }

    /// <summary>A command line that names no command means the same.</summary>
    [Fact]
    public async Task NoCommand_WrongSettings_78()
    {
        CommandResult result =
            await BreakwaterCommand.RunAsync(new Dictionary<string, string> { ["Proxy__Listen__0"] = "not an address" });

        Assert.Equal(78, result.ExitCode);
        Assert.Contains("Proxy:Listen", result.Error, StringComparison.Ordinal);
        Assert.Contains("Nothing was started.", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_PortIsTaken_73()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        AssertCannotStart(await ServeAsync(taken.LocalEndpoint.ToString()!));
    }

    // An address of documentation (RFC 5737): it is nobody's.
    [Fact]
    public async Task Serve_AddressIsNotThisMachines_73() => AssertCannotStart(await ServeAsync("203.0.113.1:3128"));

    [Fact]
    public async Task Serve_StoreIsAFile_73()
    {
        await File.WriteAllTextAsync(_directory.Combine("store"), "no directory");
        AssertCannotStart(await ServeAsync("127.0.0.1:0"));
    }

    // 20: a missing settings file was 78 of one command and 1 of another. The unit tries neither 64 nor 78 again.
    [Theory]
    [InlineData("--settings", "/nowhere/appsettings.json")]
    [InlineData("--no-such-option", "x")]
    public async Task Serve_WrongCommandLine_64(params string[] arguments) =>
        Assert.Equal(64, (await BreakwaterCommand.RunAsync(new Dictionary<string, string>(), ["serve", .. arguments])).ExitCode);

    [Theory]
    [InlineData("Logging__LogLevel__Default", "Loud")]
    [InlineData("ReverseProxy__Clusters__stratum1__LoadBalancingPolicy", "None")]
    [InlineData("ReverseProxy__Clusters__stratum1__HealthCheck__Active__Interval", "soon")]
    public async Task Serve_WhatALibraryCannotRead_78(string name, string value)
    {
        CommandResult result = await ServeAsync("127.0.0.1:0", name, value);

        Assert.True(result.ExitCode == 78, $"{result.ExitCode}: {result.Error}");
        Assert.Contains(name.Split("__")[0], result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    // A file that not even root may read.
    [Fact]
    public async Task Serve_SettingsThatCannotBeRead_78()
    {
        const string Unreadable = "/sys/bus/platform/drivers_probe";
        if (File.Exists(Unreadable))
        {
            CommandResult result = await BreakwaterCommand.RunAsync(new Dictionary<string, string>(), "serve", "--settings", Unreadable);
            Assert.True(result.ExitCode == 78, $"{result.ExitCode}: {result.Error}");
            Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        }
    }

    private static void AssertCannotStart(CommandResult result)
    {
        Assert.True(result.ExitCode == 73, $"{result.ExitCode}: {result.Error}");
        Assert.Contains("Breakwater cannot start", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled exception", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    private Task<CommandResult> ServeAsync(string listen, string name = "Proxy__Name", string value = "breakwater") =>
        BreakwaterCommand.RunAsync(
        new Dictionary<string, string>
        {
            ["Proxy__Listen__0"] = listen,
            ["Proxy__Offline"] = "true",
            ["Admin__Listen"] = "127.0.0.1:0",
            ["Admin__TokenFile"] = _directory.Combine("admin.token"),
            ["Store__Path"] = _directory.Combine("store"),
            [name] = value,
        },
        "serve");
}
