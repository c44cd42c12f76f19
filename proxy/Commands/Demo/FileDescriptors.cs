using System.Globalization;

namespace Breakwater.Proxy.Commands.Demo;

/// <summary>How many VMs this process has file descriptors for.</summary>
internal static class FileDescriptors
{
    // Assemblies, listeners, pipes to the child, connections of the proxy to the Stratum 1.
    private const int Reserve = 500;

    // Without a readable limit: what the demo was tried with.
    private const int Unknown = 1_048_576;

    /// <summary>
    /// Open files that this process, and the proxy that it starts, may have. The runtime raises the soft limit to the hard one at start.
    /// </summary>
    public static int Limit { get; } = ReadLimit();

    /// <summary>Sockets that so many VMs hold at most, in this process and again in the proxy.</summary>
    public static long NeededBy(int vms) => ((long)vms * VirtualMachine.MaxConnections) + Reserve;

    /// <summary>The most VMs that the limit allows.</summary>
    public static int MostVms() => Math.Max(1, (Limit - Reserve) / VirtualMachine.MaxConnections);

    private static int ReadLimit()
    {
        try
        {
            foreach (string line in File.ReadLines("/proc/self/limits"))
            {
                if (line.StartsWith("Max open files", StringComparison.Ordinal))
                {
                    string soft = line[26..].TrimStart().Split(' ')[0];
                    return int.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out int limit) ? limit : Unknown;
                }
            }
        }
        catch (IOException)
        {
            // No procfs (not Linux): the limit is not known, so none is imposed.
        }

        return Unknown;
    }
}
