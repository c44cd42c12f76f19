using System.Numerics;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Observability;

/// <summary>
/// Counts of requests by the time that they took, in buckets of a quarter of an octave from a microsecond on: a median is right within
/// a tenth. Counts grow since the start; who wants those of a while takes two and the difference.
/// </summary>
internal static class ServiceTimes
{
    private const int Parts = 4;
    private const int Octaves = 32;
    private const int Buckets = Parts * Octaves;
    private static readonly int s_kinds = Enum.GetValues<ServiceKind>().Length;

    /// <summary>Room for all counts.</summary>
    public static int Length => s_kinds * Buckets;

    /// <summary>Which count a request belongs to.</summary>
    public static int IndexOf(ServiceKind kind, TimeSpan took)
    {
        uint micros = (uint)Math.Clamp(took.Ticks / TimeSpan.TicksPerMicrosecond, 1, uint.MaxValue);
        int octave = BitOperations.Log2(micros);
        int part = (int)(((ulong)micros << 2 >> octave) & 3);
        return ((int)kind * Buckets) + (octave * Parts) + part;
    }

    /// <summary>The kind of a request that ended.</summary>
    public static ServiceKind KindOf(RequestResult result, short status) => result switch
    {
        RequestResult.Revalidated => ServiceKind.NearHit,
        _ when result.IsHit => status == StatusCodes.Status304NotModified ? ServiceKind.NotModified : ServiceKind.Hit,
        RequestResult.Miss or RequestResult.PassedThrough => ServiceKind.Miss,
        _ => ServiceKind.Other,
    };

    /// <summary>
    /// The time that this share of the requests between two counts took at most; zero when there were none.
    /// </summary>
    /// <param name="now">Counts.</param>
    /// <param name="then">Counts of earlier.</param>
    /// <param name="kind">Of which kind; null: all.</param>
    /// <param name="share">Above 0, to 1; 0.5 is the median.</param>
    public static TimeSpan Percentile(ReadOnlySpan<long> now, ReadOnlySpan<long> then, ServiceKind? kind, double share)
    {
        Span<long> counts = stackalloc long[Buckets];
        counts.Clear();
        long total = 0;
        for (int i = 0; i < now.Length; i++)
        {
            if (kind is null || i / Buckets == (int)kind)
            {
                long count = now[i] - then[i];
                counts[i % Buckets] += count;
                total += count;
            }
        }

        long rank = (long)Math.Ceiling(total * share);
        for (int i = 0; i < Buckets && total > 0; i++)
        {
            rank -= counts[i];
            if (rank <= 0)
            {
                // The middle of its bucket.
                double micros = Math.ScaleB(1 + ((i % Parts + 0.5) / Parts), i / Parts);
                return TimeSpan.FromMicroseconds(micros);
            }
        }

        return TimeSpan.Zero;
    }
}
