namespace Breakwater.Proxy.Settings;

/// <summary>One of <see cref="UpstreamOptions.Bandwidth"/>.</summary>
internal sealed class BandwidthOptions
{
    /// <summary>Bytes of bodies that may come from upstream in a second, all together; 0: no limit at this time of day.</summary>
    public long BytesPerSecond { get; set; } = -1;

    /// <summary>Local time of day from which it holds. Default, with <see cref="To"/>: at all times.</summary>
    public TimeOnly? From { get; set; }

    /// <summary>Local time of day until which it holds; earlier than <see cref="From"/>: beyond midnight.</summary>
    public TimeOnly? To { get; set; }

    /// <summary>Does it hold at this time of day, as a clock on the wall shows it?</summary>
    public bool Holds(TimeOnly now) => From is not { } from || To is not { } to || now.IsBetween(from, to);
}
