using System.Globalization;

namespace Breakwater.Proxy.Settings;

/// <summary>
/// How many client connections the process's limit of open files allows. A server that is out of descriptors can neither accept nor fetch
/// nor open a segment; one that refuses the last clients serves all others.
/// </summary>
internal static class DescriptorBudget
{
    /// <summary>For assemblies, logs, the runtime, the admin port. A runtime that cannot open a file when it needs one ends.</summary>
    private const int Reserve = 512;

    private const int Fewest = 64;
    private const int FewestPassedThrough = 16;
    private const int MostPassedThrough = 1024;

    /// <summary>The connections of clients that may be open.</summary>
    /// <param name="wanted"><c>Proxy:MaxConnections</c>.</param>
    /// <param name="fetches">Fetches at a time, each with a connection or two.</param>
    /// <param name="storeFiles">Files of a full store.</param>
    /// <param name="limit">Open files allowed; null: not known.</param>
    public static int Connections(int wanted, int fetches, int storeFiles, long? limit) =>
        limit is { } known
            ? (int)Math.Clamp(Free(fetches, storeFiles, known) - PassedThrough(fetches, storeFiles, limit), Math.Min(Fewest, wanted),
            wanted)
            : wanted;

    /// <summary>
    /// The connections to Stratum 1s for files that are passed through, each as long as its client reads: apart from those of the fetches.
    /// </summary>
    public static int PassedThrough(int fetches, int storeFiles, long? limit) =>
        limit is { } known
        ? (int)Math.Clamp(Free(fetches, storeFiles, known) / 16, FewestPassedThrough, MostPassedThrough)
        : MostPassedThrough;

    /// <summary>Is there enough for a handful of clients?</summary>
    /// <exception cref="IOException">There is not; it says how much is needed.</exception>
    public static void ThrowIfShort(int fetches, int storeFiles, long? limit)
    {
        long least = Reserve + (2L * fetches) + storeFiles + Fewest;
        if (limit < least)
        {
            throw new IOException(string.Create(
                CultureInfo.InvariantCulture,
                $"this process may open {limit} files and needs {least} at least (ulimit -n, LimitNOFILE); fewer do with a lower "
                + $"Proxy:MaxConcurrentFetches or Store:QuotaBytes."));
        }
    }

    private static long Free(int fetches, int storeFiles, long limit) => limit - Reserve - (2L * fetches) - storeFiles;

    /// <summary>The soft limit in force; the runtime has raised it to the hard one. Null where there is no /proc.</summary>
    public static long? Limit()
    {
        try
        {
            string? line = File.ReadLines("/proc/self/limits")
                .FirstOrDefault(l => l.StartsWith("Max open files", StringComparison.Ordinal));
            return line is not null
                && long.TryParse(line.AsSpan(14).TrimStart().ToString().Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture,
                out long limit) ? limit : null;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
