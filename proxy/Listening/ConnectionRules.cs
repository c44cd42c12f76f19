using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Listening;

/// <summary>What every connection of a client must keep to, whether the event loops or Kestrel have it. Immutable.</summary>
/// <param name="MaxConnections">Connections of clients that may be open.</param>
/// <param name="HeadTimeout">The head of a request must be whole (<c>Proxy:RequestHeadTimeout</c>).</param>
/// <param name="ClientTimeout">A client that takes next to nothing of its answer for so long is cut (<c>Proxy:ClientTimeout</c>).</param>
/// <param name="CongestionControl">The name of the TCP congestion control; empty: the system's.</param>
internal sealed record ConnectionRules(int MaxConnections, TimeSpan HeadTimeout, TimeSpan ClientTimeout, string CongestionControl)
{
    /// <summary>The loops leave a longer head to Kestrel: the longest target, and half of the fields that Kestrel takes. Bytes.</summary>
    public const int MaxHeadBytes = DestinationTarget.MaxLength + (8 << 10);

    /// <summary>Fields that are longer in all are refused, bytes.</summary>
    public const int MaxFieldBytes = 16 << 10;

    /// <summary>A longer request line is refused, bytes.</summary>
    public const int MaxRequestLineBytes = DestinationTarget.MaxLength + (1 << 10);

    /// <summary>A head of more fields is refused.</summary>
    public const int MaxFields = 64;

    /// <summary>Whoever takes less than this many bytes a second all the time is stuck, not slow (Kestrel's default).</summary>
    public const int StuckBytesPerSecond = 240;

    /// <summary>
    /// A connection without a request is closed. A client keeps its own between two checks of the manifest, 240 s by default.
    /// </summary>
    public static readonly TimeSpan Idle = TimeSpan.FromMinutes(5);

    /// <summary>The rules by the settings and the limit of open files.</summary>
    public static ConnectionRules For(ProxyOptions proxy, ConnectionBudget budget) =>
        new(budget.Connections, proxy.RequestHeadTimeout, proxy.ClientTimeout, proxy.CongestionControl);
}
