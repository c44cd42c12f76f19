using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Boots;

/// <summary>
/// A boot for people: times in milliseconds, <paramref name="Segments"/> are the bar from left to right in equal slices (m, d, j, u, or -
/// for waiting).
/// </summary>
internal sealed record BootView(
    int Id, string Client, string? Repository, DateTimeOffset StartedAt, double DurationMs, int Requests, int Objects, long Bytes,
    BootState State, string Segments, long Memory, long Disk, long Joined, long Upstream)
{
    private const int Slices = 48;

    /// <summary>Copies it.</summary>
    public static BootView Of(Boot boot)
    {
        double duration = boot.Duration.TotalMilliseconds;
        return new BootView(
            boot.Id,
            (boot.Client.IsIPv4MappedToIPv6 ? boot.Client.MapToIPv4() : boot.Client).ToString(),
            boot.Repository,
            boot.StartedAt,
            duration,
            boot.Requests,
            boot.Objects,
            boot.Bytes,
            boot.State,
            SegmentsOf(boot, duration),
            boot.BytesBySource[(int)ByteSource.Memory],
            boot.BytesBySource[(int)ByteSource.Disk],
            boot.BytesBySource[(int)ByteSource.Joined],
            boot.BytesBySource[(int)ByteSource.Upstream]);
    }

    /// <summary>In each slice, what most of the time was spent on.</summary>
    private static string SegmentsOf(Boot boot, double duration)
    {
        if (boot.Details.Count == 0)
        {
            int most = Array.IndexOf(boot.BytesBySource, boot.BytesBySource.Max());
            return new string("-mdju"[most], 1);
        }

        double slice = Math.Max(1, duration) / Slices;
        var spent = new double[Slices, 5];
        foreach (BootRequest request in boot.Details)
        {
            double end = request.StartMs + Math.Max(1, request.DurationMs);
            int last = Math.Min(Slices - 1, (int)(end / slice));
            for (int i = Math.Min(Slices - 1, (int)(Math.Max(0, request.StartMs) / slice)); i <= last; i++)
            {
                spent[i, (int)request.Source] += Math.Max(0, Math.Min(end, (i + 1) * slice) - Math.Max(request.StartMs, i * slice));
            }
        }

        return string.Create(Slices, spent, static (text, spent) =>
        {
            for (int i = 0; i < text.Length; i++)
            {
                int best = 0;
                for (int s = 1; s < 5; s++)
                {
                    best = spent[i, s] > (best == 0 ? 0 : spent[i, best]) ? s : best;
                }

                text[i] = "-mdju"[best];
            }
        });
    }
}
