using System.Globalization;

namespace Breakwater.Proxy.Pipeline;

/// <summary>
/// Listening sockets handed over by a service manager (sd_listen_fds(3)): they stay open while one process ends and the next starts, so that
/// connections wait in the kernel and none is refused.
/// </summary>
internal static class InheritedSockets
{
    private const int First = 3;

    /// <summary>Their descriptors; none when there is no socket activation for this process.</summary>
    public static IReadOnlyList<ulong> Find()
    {
        string own = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        return Environment.GetEnvironmentVariable("LISTEN_PID") == own
            && int.TryParse(Environment.GetEnvironmentVariable("LISTEN_FDS"), NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            ? [.. Enumerable.Range(First, Math.Min(count, 64)).Select(fd => (ulong)fd)]
            : [];
    }
}
