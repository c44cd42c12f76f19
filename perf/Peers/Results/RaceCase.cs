namespace Breakwater.Peers.Results;

/// <summary>One row of the race: what was done, to whom, and what came out. Ratios are taken within a case only.</summary>
internal sealed record RaceCase
{
    /// <summary>Stable name, e.g. <c>hot/4KB/64</c>.</summary>
    public required string Id { get; init; }

    /// <summary>For readers.</summary>
    public required string Title { get; init; }

    /// <summary>When it was measured last.</summary>
    public required DateTimeOffset Date { get; init; }

    /// <summary>The commit of the checkout.</summary>
    public required string Commit { get; init; }

    /// <summary>Congestion control of everybody's connections; null: Breakwater's differed from the peers'.</summary>
    public string? Congestion { get; init; }

    /// <summary>All runs, in the order they were made.</summary>
    public required IReadOnlyList<PeerRun> Runs { get; init; }

    /// <summary>The scenario that it belongs to.</summary>
    public string Scenario => Id.Split('/')[0];

    /// <summary>Median of a value over a peer's runs; null when it has none.</summary>
    public double? Median(string peer, string value)
    {
        double[] found = [.. Runs.Where(r => r.Peer == peer && r.Values.ContainsKey(value)).Select(r => r.Values[value]).Order()];
        return found.Length switch
        {
            0 => null,
            _ when found.Length % 2 == 1 => found[found.Length / 2],
            _ => (found[(found.Length / 2) - 1] + found[found.Length / 2]) / 2,
        };
    }
}
