using System.Text;
using Breakwater.Proxy.Exchanges;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>Answers that were never asked for.</summary>
internal static class SomeReadyAnswer
{
    /// <summary>One byte of <c>h:80</c>, with an age of five seconds when it came, two seconds before it was made ready.</summary>
    public static ReadyAnswer Of(int hash, string target, string host, DateTimeOffset madeAt, TimeSpan lifetime) => new()
    {
        Hash = hash,
        Target = Encoding.ASCII.GetBytes(target),
        Host = Encoding.ASCII.GetBytes(host),
        TargetText = target,
        Upstream = "h:80",
        Settings = default,
        Mark = default,
        FlightName = "",
        SiteFlightName = "",
        Varying = [],
        Slice = default,
        Length = 1,
        Head = new ReadyHead([], [], []),
        ReceivedAt = madeAt.AddSeconds(-2),
        AgeAtArrival = TimeSpan.FromSeconds(5),
        Lifetime = lifetime,
        MadeAt = madeAt,
        MadeTimestamp = 0,
    };
}
