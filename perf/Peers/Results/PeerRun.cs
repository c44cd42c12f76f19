namespace Breakwater.Peers.Results;

/// <summary>One measurement of one peer.</summary>
/// <param name="Peer">Whose.</param>
/// <param name="Values">Numbers by name; the unit is in the name.</param>
/// <param name="Series">Curves by name: one value a slice of 100 ms.</param>
internal sealed record PeerRun(string Peer, IReadOnlyDictionary<string, double> Values,
    IReadOnlyDictionary<string, IReadOnlyList<double>> Series)
{
    /// <summary>A run without curves.</summary>
    public static PeerRun Of(string peer, IReadOnlyDictionary<string, double> values) =>
        new(peer, values, new Dictionary<string, IReadOnlyList<double>>());
}
