using System.Diagnostics;
using Breakwater.TestSupport;

namespace Breakwater.Mount.Tests;

/// <summary>An image that boots what anybody publishes is not made by accident.</summary>
public sealed class BuildScriptTests
{
    [Theory]
    [InlineData("no --key", "")]
    [InlineData("exclude each other", "--insecure --user-data-key")]
    [InlineData("exclude each other", "--insecure --key DIR/a.lab.example.pub")]
    [InlineData("no public key", "--key DIR/private.pub")]
    [InlineData("no public key", "--key DIR/absent.pub")]
    [InlineData("its name must be", "--key DIR/a.lab.example.pem")]
    [InlineData("there is no modules/none.list", "--insecure --modules virtio,none")]
    [InlineData("is unknown", "--unsure x")]
    [InlineData("needs a value", "--key")]
    public async Task Build_WithoutASayingWhoMayPublish_Refuses(string expected, string arguments)
    {
        using var directory = new TemporaryDirectory();
        const string Key = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n";
        await File.WriteAllTextAsync(directory.Combine("a.lab.example.pub"), Key);
        await File.WriteAllTextAsync(directory.Combine("a.lab.example.pem"), Key);
        await File.WriteAllTextAsync(directory.Combine("private.pub"), "-----BEGIN PRIVATE KEY-----\n");
        string[] words = arguments.Replace("DIR", directory.Path, StringComparison.Ordinal)
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var start = new ProcessStartInfo(
            "bash", [Checkout.PathOf("deployment", "microvm", "build.sh"), "--out", directory.Combine("out"), .. words])
        {
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        string said = await process.StandardError.ReadToEndAsync().InTimeAsync();
        await process.WaitForExitAsync().InTimeAsync();
        Assert.Equal(1, process.ExitCode);
        Assert.Contains(expected, said, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory.Combine("out")));
    }
}
