using System.Text.Json;

namespace Breakwater.Peers.Results;

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
        File.WriteAllText(file,
            head.Replace("\"cases\":[]", "\"cases\":[\n" + string.Join(",\n", cases) + "\n]", StringComparison.Ordinal) + "\n");
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
