namespace Breakwater.Proxy.Observability;

/// <summary>Asks every room how it is. Thread-safe.</summary>
internal sealed class Health(IEnumerable<IHealthSource> sources)
{
    /// <summary>The state right now.</summary>
    public HealthReport Check()
    {
        List<HealthFinding> findings = [.. sources.SelectMany(source => source.Find()).OrderByDescending(f => f.Level)];
        return new HealthReport(findings.Count == 0 ? HealthLevel.Ready : findings[0].Level, findings);
    }
}
