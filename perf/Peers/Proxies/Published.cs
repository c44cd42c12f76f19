using System.Diagnostics;
using Breakwater.Peers.Scenarios;

namespace Breakwater.Peers.Proxies;

/// <summary>Publishes Breakwater as a site would run it.</summary>
internal static class Published
{
    /// <summary>The folder that was built before the race went into its namespace, where nothing can be downloaded; null: none.</summary>
    public static string? Known => Environment.GetEnvironmentVariable(Apart.BuiltVariable);

    /// <summary>A Release build in a temporary directory.</summary>
    /// <exception cref="IOException">It could not be built.</exception>
    public static string Build(string root)
    {
        string directory = Path.Combine(Path.GetTempPath(), "race-breakwater-build");
        using Process process = Process.Start("dotnet", [
            "publish", Path.Combine(root, "proxy"), "-c", "Release", "-r", "linux-x64", "--self-contained", "false",
                "-p:PublishReadyToRun=true",
            "-p:NuGetLockFilePath=obj/publish.lock.json", "-p:RestoreLockedMode=false", "-o", directory, "-v", "quiet", "--nologo"]);
        process.WaitForExit();
        return process.ExitCode == 0 ? directory : throw new IOException("dotnet publish proxy -c Release failed; see its output above");
    }
}
