namespace Breakwater.Proxy.Observability;

/// <summary>All findings together.</summary>
/// <param name="Status">The worst of the findings.</param>
/// <param name="Findings">The findings, the worst first.</param>
internal sealed record HealthReport(HealthLevel Status, IReadOnlyList<HealthFinding> Findings);
