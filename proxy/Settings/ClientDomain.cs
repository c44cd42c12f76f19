namespace Breakwater.Proxy.Settings;

/// <summary>A domain or repository of the client's configuration.</summary>
/// <param name="Pattern"><c>*.cern.ch</c> or a repository's full name.</param>
/// <param name="Stratum1s">The roots of its Stratum 1s, in the client's order; at least one.</param>
/// <param name="File">The file that names it.</param>
internal sealed record ClientDomain(string Pattern, IReadOnlyList<string> Stratum1s, string File);
