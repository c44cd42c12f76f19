using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Boots;

/// <summary>
/// A boot for people. Times in milliseconds, <paramref name="Bar"/> as <see cref="BootBar.Write"/> has it: what its time was spent on.
/// </summary>
internal sealed record BootView(
    int Id, string Client, string? Repository, DateTimeOffset StartedAt, double DurationMs, int Requests, int Objects, long Bytes,
    BootState State, string Bar, long Memory, long Disk, long Joined, long Upstream, int Refused = 0, int StormId = 0)
{
    /// <summary>Copies it.</summary>
    public static BootView Of(Boot boot)
    {
        BootLine line = boot.Line;
        return new BootView(
            line.Id,
            line.ClientText,
            line.Repository.ToString(),
            line.StartedAt,
            line.DurationMs,
            line.Requests,
            line.Objects,
            line.Bytes,
            line.State,
            boot.Bar.Write(line.DurationMs),
            boot.BytesBySource[(int)ByteSource.Memory],
            boot.BytesBySource[(int)ByteSource.Disk],
            boot.BytesBySource[(int)ByteSource.Joined],
            boot.BytesBySource[(int)ByteSource.Upstream],
            line.Refused,
            line.StormId);
    }
}
