namespace Breakwater.Proxy.Boots;

/// <summary>The storm right now. Durations in milliseconds, of boots that are done.</summary>
internal sealed record StormView(int Booting, int Done, int Stopped, DateTimeOffset? StartedAt, DateTimeOffset? EstimatedEnd,
    double? MedianMs, double? MaxMs);
