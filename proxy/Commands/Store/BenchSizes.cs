namespace Breakwater.Proxy.Commands.Store;

/// <summary>How much a bench writes and reads.</summary>
/// <param name="RoomBytes">What must be free on the disk.</param>
/// <param name="SmallObjects">Objects of 20 KB that are written in a round.</param>
/// <param name="LargeObjects">Objects of 8 MiB that are written in a round.</param>
/// <param name="WriteRounds">How often it is written; the best round counts.</param>
/// <param name="ReadRounds">How often it is read; the first round warms up, the best of the others counts.</param>
/// <param name="Reads">Which lengths are read, and how often in a round.</param>
internal sealed record BenchSizes(
    long RoomBytes, int SmallObjects, int LargeObjects, int WriteRounds, int ReadRounds, IReadOnlyList<(int Bytes, int Operations)> Reads)
{
    /// <summary>A few seconds of each kind on an ordinary disk.</summary>
    public static BenchSizes Ordinary { get; } = new(
        4L << 30, 10_000, 40, 3, 16, [(4_096, 100_000), (20_000, 50_000), (262_144, 10_000), (8 << 20, 200)]);
}
