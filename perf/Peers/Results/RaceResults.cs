using System.Text.Json;

namespace Breakwater.Peers.Results;

/// <summary>One measurement of one peer.</summary>
/// <param name="Peer">Whose.</param>
/// <param name="Values">Numbers by name; the unit is in the name.</param>
/// <param name="Series">Curves by name: one value a slice of 100 ms.</param>
internal sealed record PeerRun(string Peer, IReadOnlyDictionary<string, double> Values, IReadOnlyDictionary<string, IReadOnlyList<double>> Series)
{
    /// <summary>A run without curves.</summary>
    public static PeerRun Of(string peer, IReadOnlyDictionary<string, double> values) =>
        new(peer, values, new Dictionary<string, IReadOnlyList<double>>());
}

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

/// <summary>All that the race knows, kept as <c>race.json</c>.</summary>
internal sealed record RaceResults
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = false };

    /// <summary>Processor, cores, memory, kernel, runtime.</summary>
    public required string Machine { get; init; }

    /// <summary>Versions of the peers.</summary>
    public required IReadOnlyDictionary<string, string> Versions { get; init; }

    /// <summary>The rows.</summary>
    public required IReadOnlyList<RaceCase> Cases { get; init; }

    /// <summary>Reads saved results; null when there are none.</summary>
    public static RaceResults? Load(string file) => File.Exists(file)
        ? JsonSerializer.Deserialize<RaceResults>(File.ReadAllText(file), s_json)
        : null;

    /// <summary>Writes them: one case a line, so that a change of one shows as one.</summary>
    public void Save(string file)
    {
        string head = JsonSerializer.Serialize(this with { Cases = [] }, s_json);
        IEnumerable<string> cases = Cases.OrderBy(c => c.Id, StringComparer.Ordinal).Select(c => JsonSerializer.Serialize(c, s_json));
        File.WriteAllText(file, head.Replace("\"cases\":[]", "\"cases\":[\n" + string.Join(",\n", cases) + "\n]", StringComparison.Ordinal) + "\n");
    }

    /// <summary>Puts new cases in place of old ones of the same name, or adds their runs to them.</summary>
    public RaceResults With(IEnumerable<RaceCase> cases, IReadOnlyDictionary<string, string> versions, bool append)
    {
        var merged = Cases.ToDictionary(c => c.Id);
        foreach (RaceCase one in cases)
        {
            merged[one.Id] = append && merged.TryGetValue(one.Id, out RaceCase? old)
                ? one with { Runs = [.. old.Runs, .. one.Runs] }
                : one;
        }

        var known = new Dictionary<string, string>(Versions);
        foreach ((string peer, string version) in versions)
        {
            known[peer] = version;
        }

        return this with { Cases = [.. merged.Values], Versions = known };
    }
}
