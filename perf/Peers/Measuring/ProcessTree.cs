using System.Globalization;
using System.Runtime.InteropServices;

namespace Breakwater.Peers.Measuring;

/// <summary>A process and all of its descendants, as /proc tells it.</summary>
internal sealed partial class ProcessTree(int root)
{
    public const int SigTerm = 15, SigStop = 19, SigCont = 18;

    private const int SigKill = 9;

    private static readonly double s_ticksPerSecond = SysConf(2);

    /// <summary>The processes alive now.</summary>
    public IReadOnlyList<int> Pids()
    {
        var children = new Dictionary<int, List<int>>();
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out int pid) && Stat(pid) is { } stat)
            {
                int parent = int.Parse(stat[1], CultureInfo.InvariantCulture);
                (children.TryGetValue(parent, out List<int>? list) ? list : children[parent] = []).Add(pid);
            }
        }

        var found = new List<int> { root };
        for (int i = 0; i < found.Count; i++)
        {
            found.AddRange(children.GetValueOrDefault(found[i]) ?? []);
        }

        return found;
    }

    /// <summary>User and system time of all of them, in seconds.</summary>
    public double CpuSeconds() => Pids()
        .Select(Stat)
        .Sum(stat => stat is null
        ? 0
        : double.Parse(stat[11], CultureInfo.InvariantCulture) + double.Parse(stat[12], CultureInfo.InvariantCulture))
        / s_ticksPerSecond;

    /// <summary>Their memory, cheaply.</summary>
    public Memory Memory() => Sum("status", "VmRSS:", "RssAnon:", null);

    /// <summary>Their memory with shares told apart; walks the page tables.</summary>
    public Memory ExactMemory() => Sum("smaps_rollup", "Rss:", "Anonymous:", "Pss:");

    /// <summary>Sends a signal to all of them.</summary>
    public void Signal(int signal)
    {
        foreach (int pid in Pids().Reverse())
        {
            _ = Kill(pid, signal);
        }
    }

    /// <summary>
    /// Ends all of them with SIGKILL. The root is stopped before its children are listed, and dies first: nginx's master otherwise starts a
    /// new cache manager in place of the killed one, which then lives on as an orphan (seen once).
    /// </summary>
    public void End()
    {
        _ = Kill(root, SigStop);
        foreach (int pid in Pids())
        {
            _ = Kill(pid, SigKill);
        }
    }

    private Memory Sum(string file, string resident, string anonymous, string? proportional)
    {
        var sum = default(Memory);
        foreach (int pid in Pids())
        {
            try
            {
                string[] lines = File.ReadAllLines($"/proc/{pid}/{file}");
                sum = new Memory(
                    sum.ResidentBytes + Field(lines, resident),
                    sum.AnonymousBytes + Field(lines, anonymous),
                    sum.ProportionalBytes + (proportional is null ? 0 : Field(lines, proportional)));
            }
            catch (IOException)
            {
                // It has ended since.
            }
        }

        return sum;
    }

    private static long Field(string[] lines, string name)
    {
        string? line = lines.FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal));
        return line is null
            ? 0
            : 1024 * long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture);
    }

    /// <summary>The fields after the command's name: state, parent, …; null when there is no such process.</summary>
    private static string[]? Stat(int pid)
    {
        try
        {
            string line = File.ReadAllText($"/proc/{pid}/stat");
            return line[(line.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "sysconf")]
    private static partial long SysConf(int name);
}
