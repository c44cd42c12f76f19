using System.Diagnostics;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Deployment;

/// <summary>What a script of deployment/ has said and how it ended.</summary>
internal sealed record ReleaseScript(int ExitCode, string Output, string Error)
{
    /// <summary>Runs one to its end.</summary>
    public static async Task<ReleaseScript> RunAsync(string script, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("bash", [Checkout.PathOf("deployment", script), .. arguments])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            Environment = { ["SOURCE_DATE_EPOCH"] = "1796083200" }, // 2026-12-01
        })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync().InTimeAsync();
        await process.WaitForExitAsync().InTimeAsync();
        return new ReleaseScript(process.ExitCode, output, await error.InTimeAsync());
    }

    /// <summary>Lays out the documents of release 9.8.7 in a folder; fails with the script's words when it fails.</summary>
    public static async Task LayOutDocumentsAsync(string folder)
    {
        ReleaseScript made = await RunAsync("documents.sh", "9.8.7", folder);
        Assert.True(made.ExitCode == 0, made.Error);
    }
}
