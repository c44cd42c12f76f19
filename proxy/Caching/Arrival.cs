namespace Breakwater.Proxy.Caching;

/// <summary>When a stored answer came, by a clock that no step moves (docs/develop/adr/0030-no-age-from-the-wall-clock-alone.md).</summary>
/// <param name="Process">The process whose clock it is: a timestamp means nothing in another process.</param>
/// <param name="Timestamp">A <see cref="TimeProvider.GetTimestamp"/> of that process.</param>
internal readonly record struct Arrival(long Process, long Timestamp);
