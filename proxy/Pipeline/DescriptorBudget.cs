using System.Globalization;

namespace Breakwater.Proxy.Pipeline;

/// <summary>
/// How many client connections the process's limit of open files allows. A server that is out of descriptors can neither accept nor fetch nor open
/// a segment; one that refuses the last clients serves all others.
/// </summary>
internal static class DescriptorBudget
{
    /// <summary>For segments, logs, the runtime, the admin port.</summary>
    private const int Reserve = 512;

    private const int Fewest = 64;

    /// <summary>The connections that may be open.</summary>
    /// <param name="wanted"><c>Proxy:MaxConnections</c>.</param>
    /// <param name="fetches">Fetches at a time, each with a connection or two.</param>
    /// <param name="limit">Open files allowed; null: not known.</param>
    public static int Connections(int wanted, int fetches, long? limit) =>
        limit is { } known ? (int)Math.Clamp(known - Reserve - (2L * fetches), Math.Min(Fewest, wanted), wanted) : wanted;

    /// <summary>The soft limit in force; the runtime has raised it to the hard one. Null where there is no /proc.</summary>
    public static long? Limit()
    {
        try
        {
            string? line = File.ReadLines("/proc/self/limits").FirstOrDefault(l => l.StartsWith("Max open files", StringComparison.Ordinal));
            return line is not null && long.TryParse(line.AsSpan(14).TrimStart().ToString().Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out long limit) ? limit : null;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
