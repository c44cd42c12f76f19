namespace Breakwater.Proxy.Cluster;

/// <summary>What nodes of a site should agree on, as one of them has it: <c>doctor</c> compares them.</summary>
/// <param name="Id">The node.</param>
/// <param name="Version">Its release.</param>
/// <param name="Now">Its clock.</param>
/// <param name="Site">Its site.</param>
/// <param name="Nodes">Its list of nodes, sorted.</param>
/// <param name="CertificateEnds">When its certificate ends.</param>
/// <param name="Authorities">Fingerprints of the authorities that it trusts, sorted.</param>
/// <param name="Declared">Digest of the pins, seeds and permissions in its settings.</param>
/// <param name="Undone">Of what is declared, what could not be done.</param>
/// <param name="Pins">Names of its pins, but for those of working sets, which each node learns.</param>
/// <param name="Seeds">Its seeds, with the beginning of their bundles' identities.</param>
internal sealed record NodeFacts(string Id, string Version, DateTimeOffset Now, string Site, IReadOnlyList<string> Nodes,
    DateTimeOffset CertificateEnds, IReadOnlyList<string> Authorities, string Declared, IReadOnlyList<string> Undone,
    IReadOnlyList<string> Pins, IReadOnlyList<string> Seeds);
