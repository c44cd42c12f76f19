using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Breakwater.Peers.Results;

/// <summary>What stands beside every result.</summary>
internal static class Surroundings
{
    /// <summary>The machine in one line.</summary>
    public static string Machine()
    {
        string model = File.ReadLines("/proc/cpuinfo")
            .FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "?";
        double memoryGb = long.Parse(
            File.ReadLines("/proc/meminfo").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture) / 1024.0 / 1024.0;
        string kernel = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{model}, {Environment.ProcessorCount} cores (virtual), {memoryGb:0} GB, Linux {kernel}, "
            + $"{RuntimeInformation.FrameworkDescription}; clients, proxies and upstream share the cores");
    }

    /// <summary>The commit of the checkout, short, with + when it has changes.</summary>
    public static string Commit(string root)
    {
        string commit = Git(root, "rev-parse", "--short", "HEAD");
        return commit.Length == 0 ? "?" : Git(root, "status", "--porcelain", "--", "proxy", "cachestore").Length == 0
            ? commit
            : commit + "+";
    }

    /// <summary>The root of the checkout, from wherever the command is run.</summary>
    /// <exception cref="DirectoryNotFoundException">Not within a checkout.</exception>
    public static string Root()
    {
        for (DirectoryInfo? directory = new(Directory.GetCurrentDirectory()); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Breakwater.slnx")))
            {
                return directory.FullName;
            }
        }

        throw new DirectoryNotFoundException(
            "run this inside a checkout of Breakwater (Breakwater.slnx was not found above the current directory)");
    }

    private static string Git(string root, params string[] arguments)
    {
        using Process process =
            Process.Start(
            new ProcessStartInfo("git", arguments)
            {
                WorkingDirectory = root,
                RedirectStandardOutput = true,
                RedirectStandardError = true
            })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output.Trim();
    }
}
