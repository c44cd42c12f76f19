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

    private static void AssertCannotStart(CommandResult result)
    {
        Assert.True(result.ExitCode == 73, $"{result.ExitCode}: {result.Error}");
        Assert.Contains("Breakwater cannot start", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled exception", result.Error, StringComparison.Ordinal);
    }

    private Task<CommandResult> ServeAsync(string listen) => BreakwaterCommand.RunAsync(
        new Dictionary<string, string>
        {
            ["Proxy__Listen__0"] = listen,
            ["Proxy__Offline"] = "true",
            ["Admin__Listen"] = "127.0.0.1:0",
            ["Admin__TokenFile"] = _directory.Combine("admin.token"),
            ["Store__Path"] = _directory.Combine("store"),
        },
        "serve");
}
