using System.Diagnostics;
using System.Runtime.Versioning;
using Breakwater.Proxy.Commands.Demo;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.CommandLine;

/// <summary><c>breakwater mount</c> and the program that it starts, here one that only writes down how it was started.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class MountCommandTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    /// <summary>It has this process's environment: the runtime was told there how sockets complete, before there was one.</summary>
    [Theory]
    [InlineData(0, 0)]
    [InlineData(3, 73)]
    public async Task Mount_WithItsProgram_StartsItWithTheSitesSettingsAndEndsWithIt(int ends, int code)
    {
        string program = _directory.Combine("breakwater-mount");
        await File.WriteAllTextAsync(program, $"#!/bin/sh\necho \"$@\"\necho $DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS\nexit {ends}\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        CommandResult result = await RunAsync(_directory.Path, "mount", "os.example.org", "/mnt", "--tag", "v1", "--cache", "/c");

        Assert.True(result.ExitCode == code, result.Error);
        Assert.Equal($"os.example.org /mnt --server 127.0.0.1:4711 --cache /c --keys {_directory.Path} --tag v1\n1\n", result.Output);
    }

    [Fact]
    public async Task Mount_WithoutItsProgram_SaysHowToMakeIt()
    {
        CommandResult result = await RunAsync("/nowhere", "mount", "os.example.org", "/mnt");

        Assert.Equal(73, result.ExitCode);
        Assert.StartsWith("There is no breakwater-mount beside this program or in PATH.", result.Error, StringComparison.Ordinal);
    }

    private Task<CommandResult> RunAsync(string path, params string[] words)
    {
        ProcessStartInfo start = ProxyProcess.OwnExecutable();
        foreach (string word in words)
        {
            start.ArgumentList.Add(word);
        }

        start.Environment["PATH"] = path;
        start.Environment["Proxy__Listen__0"] = "127.0.0.1:4711";
        start.Environment["Repositories__KeysDirectory"] = _directory.Path;
        start.Environment["Store__Path"] = _directory.Combine("store");
        return BreakwaterCommand.RunAsync(start);
    }
}
