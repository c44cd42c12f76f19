namespace Breakwater.Proxy.Settings;

/// <summary>Section <c>Upstream</c>: what the way to Stratum 1s and origins may carry.</summary>
internal sealed class UpstreamOptions
{
    /// <summary>Limits by time of day, in order; the first that holds counts. Default none. Reloaded while it runs.</summary>
    public IReadOnlyList<BandwidthOptions> Bandwidth { get; internal set; } = [];
}
