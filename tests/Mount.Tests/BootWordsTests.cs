using System.Diagnostics;
using Breakwater.TestSupport;

namespace Breakwater.Mount.Tests;

/// <summary>How the boot image's init reads settings, by the system's own shell.</summary>
public sealed class BootWordsTests
{
    [Fact]
    public async Task UserData_WithABlock_SetsWhatIsKnownAndNothingElse()
    {
        string shown = await TakeAsync("""
            #!/bin/sh
            cvmfs_server=outside.example.org
            [ucernvm-begin]
            cvmfs_branch = "os.lab.example"
            cvmfs_http_proxy='http://10.0.0.5:3128;DIRECT'
            cvmfs_key=MIIBAQ==
            PATH=/nowhere
            cvmfs_tag=one
            cvmfs_tag=two
            [ucernvm-end]
            cvmfs_path=outside
            """.Replace("\n", "\r\n", StringComparison.Ordinal));
        Assert.Equal(
            "cvmfs_http_proxy=http://10.0.0.5:3128;DIRECT\ncvmfs_server=built.in\ncvmfs_branch=os.lab.example\ncvmfs_tag=two\n"
            + "cvmfs_key=MIIBAQ==\n",
            shown);
    }

    [Theory]
    [InlineData("$(echo ran)")]
    [InlineData("`echo ran`")]
    [InlineData("x; echo ran")]
    [InlineData("${NAMES}")]
    [InlineData("*")]
    [InlineData("a\\nb")]
    public async Task UserData_WithSomethingLikeACommand_IsText(string value)
    {
        string shown = await TakeAsync($"[ucernvm-begin]\ncvmfs_tag={value}\n[ucernvm-end]\n");
        Assert.Contains($"cvmfs_tag={value}\n", shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("$(echo ran)=x")]
    [InlineData("cvmfs_tag cvmfs_key=x")]
    [InlineData("=x")]
    [InlineData("*=x")]
    public async Task UserData_WithANameThatIsNone_IsLeftOut(string line) =>
        Assert.Equal("cvmfs_server=built.in\n", await TakeAsync($"[ucernvm-begin]\n{line}\n[ucernvm-end]\n"));

    private static async Task<string> TakeAsync(string userData)
    {
        using var directory = new TemporaryDirectory();
        string file = directory.Combine("user-data");
        await File.WriteAllTextAsync(file, userData);
        string words = Checkout.PathOf("deployment", "microvm", "init", "35-words");
        return await RunAsync(
            "/bin/sh",
            "-c",
            "BLOCK=$1/block; say() { :; }; . \"$2\"; cvmfs_server=built.in; take_user_data \"$1/user-data\" here; settings_show",
            "sh",
            directory.Path,
            words);
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = await process.StandardOutput.ReadToEndAsync().InTimeAsync();
        await process.WaitForExitAsync().InTimeAsync();
        return output;
    }
}
