using HdrHistogram;

namespace Breakwater.Storm.Vms;

/// <summary>Percentiles of times, in ms; 0 when there were none.</summary>
internal sealed record Times(double P50Ms, double P99Ms, double MaxMs)
{
    /// <summary>Of a histogram in µs.</summary>
    public static Times Of(HistogramBase histogram) => histogram.TotalCount == 0
        ? new Times(0, 0, 0)
        : new Times(
            histogram.GetValueAtPercentile(50) / 1e3,
            histogram.GetValueAtPercentile(99) / 1e3,
            histogram.GetMaxValue() / 1e3);
}
