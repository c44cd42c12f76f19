using System.Numerics;
using Breakwater.CacheStore.Log;

namespace Breakwater.CacheStore.Heads;

/// <summary>How much a log of heads may take.</summary>
/// <param name="QuotaBytes">On disk.</param>
/// <param name="MostHeads">How many there may be.</param>
/// <param name="CommitInterval">Between two commits.</param>
internal sealed record HeadLimits(long QuotaBytes, int MostHeads, TimeSpan CommitInterval)
{
    /// <summary>With less, segments would be smaller than heads.</summary>
    public const long LeastBytes = 8L << 20;

    /// <summary>About 16 segments, of 512 KiB to 64 MiB; pages of at most 1 MiB, 4 of them in memory.</summary>
    public LogGeometry Geometry
    {
        get
        {
            int segmentBits = Math.Clamp(BitOperations.Log2((ulong)QuotaBytes / 16), 19, 26);
            int pageBits = Math.Min(20, segmentBits - 1);
            return new LogGeometry(pageBits, pageBits + 2, segmentBits);
        }
    }
}
