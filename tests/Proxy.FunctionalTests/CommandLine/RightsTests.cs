using System.Diagnostics;
using System.Runtime.Versioning;
using Breakwater.Proxy.Commands.Demo;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.CommandLine;

/// <summary>
/// Commands of a user who may not look at what belongs to the service: they say so, and not that there is none. Root tries it without the
/// capabilities that let it look everywhere.
/// </summary>
[UnsupportedOSPlatform("windows")]
public sealed class RightsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly string _closed;

    public RightsTests()
    {
        _closed = _directory.Combine("closed");
        Directory.CreateDirectory(Path.Combine(_closed, "store", "objects"));
        File.WriteAllText(Path.Combine(_closed, "admin.token"), new string('t', 40));
        File.WriteAllText(Path.Combine(_closed, "admin.address"), "http://127.0.0.1:9/");
        File.SetUnixFileMode(_closed, UnixFileMode.None);
    }

    public void Dispose()
    {
        File.SetUnixFileMode(_closed, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _directory.Dispose();
    }

    // 19: 'store stats' without rights said "There is no store".
    [Theory]
    [InlineData("store stats")]
    [InlineData("store ls")]
    [InlineData("store verify")]
    [InlineData("store evict --to 0")]
    [InlineData("status")]
    [InlineData("pin list")]
    [InlineData("warm x.example.org --all")]
    [InlineData("seed import CLOSED/x.tar")]
    [InlineData("seed list")]
    [InlineData("publish keys --repository x.example.org")]
    [InlineData("publish whitelist --repository x.example.org")]
    [InlineData("publish list --repository x.example.org")]
    [InlineData("cluster certificates --node a --directory CLOSED/site")]
    public async Task Command_WithoutRights_SaysThatTheyAreMissing(string command)
    {
        CommandResult result = await RunAsync(command);

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("denied", result.Error, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("There is no", result.Error, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("not here", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("is not published", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("No Breakwater runs", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Repositories__KeysDirectory", "CLOSED/keys")]
    [InlineData("Repositories__ConfigDirectory", "CLOSED/cvmfs")]
    [InlineData("ZeroTouch__BootDirectory", "CLOSED/boot")]
    [InlineData("Http__CaFile", "CLOSED/ca.pem")]
    public async Task Setting_NamesWhatMayNotBeLookedAt_IsNotCalledMissing(string setting, string path)
    {
        CommandResult result = await RunAsync("settings check", (setting, path));

        Assert.Equal(78, result.ExitCode);
        Assert.Contains("denied", result.Output + result.Error, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("there is no", result.Output + result.Error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Doctor_WithoutRights_GoesOnAndNamesThem()
    {
        CommandResult result = await RunAsync("doctor");

        Assert.Contains("Where the admin port is cannot be read", result.Output, StringComparison.Ordinal);
        Assert.Matches("ok +open files", result.Output);
        Assert.Equal("", result.Error);
    }

    [RootFact]
    public async Task Root_InTheStoreOfAnotherUser_IsRefusedAndLeavesNothing()
    {
        const string Nobody = "65534";
        string store = _directory.Combine("theirs");
        Directory.CreateDirectory(store);
        using (Process chown = Process.Start("chown", [Nobody, store]))
        {
            await chown.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);
        }

        CommandResult result = await RunAsync("serve", ("Store__Path", store));

        Assert.Equal(73, result.ExitCode);
        Assert.Contains("sudo -u ", result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(store));
    }

    private Task<CommandResult> RunAsync(string command, params (string Name, string Value)[] settings)
    {
        ProcessStartInfo program = ProxyProcess.OwnExecutable();
        string[] words = [.. program.ArgumentList, .. command.Split(' ').Select(Place)];
        var start = new ProcessStartInfo(Environment.IsPrivilegedProcess ? "setpriv" : program.FileName);
        if (Environment.IsPrivilegedProcess)
        {
            start.ArgumentList.Add("--bounding-set=-dac_override,-dac_read_search");
            start.ArgumentList.Add(program.FileName);
        }

        foreach (string word in words)
        {
            start.ArgumentList.Add(word);
        }

        foreach ((string name, string value) in ((string, string)[])[
            ("Store__Path", "CLOSED/store"), ("Admin__TokenFile", "CLOSED/admin.token"), ("Admin__Listen", "127.0.0.1:0"),
            ("Proxy__Listen__0", "127.0.0.1:0"), ("Proxy__Offline", "true"), ("Publish__Path", "CLOSED/publish"),
            ("Publish__KeysDirectory", "CLOSED/publish-keys"), .. settings])
        {
            start.Environment[name] = Place(value);
        }

        return BreakwaterCommand.RunAsync(start);
    }

    private string Place(string text) => text.Replace("CLOSED", _closed, StringComparison.Ordinal);
}
