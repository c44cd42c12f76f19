using System.Text.Json.Serialization;

namespace Breakwater.Proxy.Commands.Demo;

/// <summary>What one phase of the demo came to. Times are milliseconds.</summary>
internal sealed record PhaseResult
{
    /// <summary><c>cold</c>, <c>warm</c>, <c>restart</c> or <c>revision</c>.</summary>
    public required string Name { get; init; }

    /// <summary>VMs that booted to the end through the proxy.</summary>
    public required int Boots { get; init; }

    /// <summary>Requests that the VMs sent.</summary>
    public required int Requests { get; init; }

    /// <summary>Distinct objects that the VMs asked for.</summary>
    public required int DistinctObjects { get; init; }

    /// <summary>Requests for objects that reached the Stratum 1.</summary>
    public required int UpstreamObjectRequests { get; init; }

    /// <summary>
    /// Requests for objects that reached the Stratum 1 before the first VM booted: the working set, fetched ahead. Not in
    /// <see cref="UpstreamObjectRequests"/>.
    /// </summary>
    public int PrefetchRequests { get; init; }

    /// <summary>Share of the VMs' object requests that caused no request to the Stratum 1, 0 to 1.</summary>
    public required double HitRatio { get; init; }

    /// <summary>Median time of a boot.</summary>
    public required double BootP50Ms { get; init; }

    /// <summary>99th percentile of the time of a boot.</summary>
    public required double BootP99Ms { get; init; }

    /// <summary>Longest boot.</summary>
    public required double BootMaxMs { get; init; }

    /// <summary>Longest wait for the first byte of an answer, connect included. Above 5,000 a VM goes past the proxy.</summary>
    public required double FirstByteMaxMs { get; init; }

    /// <summary>Whole answers whose bytes were wrong.</summary>
    public required int WrongBodies { get; init; }

    /// <summary>Requests that failed with every server named in the URL.</summary>
    public required int Errors { get; init; }

    /// <summary>VMs that would have gone past the proxy (DIRECT) for a day.</summary>
    public required int Exiles { get; init; }

    /// <summary>Bytes that the VMs received; for people.</summary>
    [JsonIgnore]
    public long BytesReceived { get; init; }

    /// <summary>Adds a phase up.</summary>
    public static PhaseResult From(string name, PhaseTally tally, int upstreamObjectRequests)
    {
        double[] boots = [.. tally.Boots.Select(b => b.TotalMilliseconds).Order()];
        return new PhaseResult
        {
            Name = name,
            Boots = boots.Length,
            Requests = tally.Requests,
            DistinctObjects = tally.DistinctObjects,
            UpstreamObjectRequests = upstreamObjectRequests,
            HitRatio = tally.ObjectRequests == 0 ? 0 : Math.Round(1 - ((double)upstreamObjectRequests / tally.ObjectRequests), 5),
            BootP50Ms = Percentile(boots, 0.50),
            BootP99Ms = Percentile(boots, 0.99),
            BootMaxMs = Percentile(boots, 1),
            FirstByteMaxMs = Math.Round(tally.FirstByteMax.TotalMilliseconds, 1),
            WrongBodies = tally.WrongBodies,
            Errors = tally.Errors,
            Exiles = tally.Exiles,
            BytesReceived = tally.BytesReceived,
        };
    }

    /// <summary>Nearest rank; 0 when there is none.</summary>
    internal static double Percentile(double[] ascending, double share) =>
        ascending.Length == 0 ? 0 : Math.Round(ascending[Math.Max(0, (int)Math.Ceiling(share * ascending.Length) - 1)], 1);
}
