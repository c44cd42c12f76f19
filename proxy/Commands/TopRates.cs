using Breakwater.Proxy.Admin;

namespace Breakwater.Proxy.Commands;

/// <summary>What went through a server between two looks, a second.</summary>
internal sealed record TopRates(double RequestsPerSecond, double BytesPerSecond, double UpstreamBytesPerSecond)
{
    /// <summary>The rates between two looks at the same process.</summary>
    public static TopRates Between(ServerStatus before, ServerStatus now)
    {
        double seconds = Math.Max(0.1, now.UptimeSeconds - before.UptimeSeconds);
        return new TopRates(
            (now.Requests - before.Requests) / seconds,
            (now.BytesSent - before.BytesSent) / seconds,
            (now.UpstreamBytes - before.UpstreamBytes) / seconds);
    }
}
