using Breakwater.Proxy.Access;

namespace Breakwater.Proxy.Observability;

/// <summary>How much a finding matters.</summary>
internal enum HealthLevel : byte
{
    /// <summary>All is well.</summary>
    Ready,

    /// <summary>Serving, but an operator should look.</summary>
    Degraded,

    /// <summary>Send no clients here.</summary>
    Unready,
}

/// <summary>Something that is not as it should be.</summary>
/// <param name="Name">Stable, short, with hyphens: <c>store-read-only</c>, <c>upstream-down</c>.</param>
/// <param name="Level">How much it matters.</param>
/// <param name="Text">What it means and what to do, in a sentence or two.</param>
internal sealed record HealthFinding(string Name, HealthLevel Level, string Text);

/// <summary>A room that knows of findings. Register it with <c>services.AddSingleton&lt;IHealthSource, …&gt;()</c>.</summary>
internal interface IHealthSource
{
    /// <summary>What is not as it should be right now; cheap, thread-safe.</summary>
    IEnumerable<HealthFinding> Find();
}

/// <summary>All findings together.</summary>
/// <param name="Status">The worst of the findings.</param>
/// <param name="Findings">The findings, the worst first.</param>
internal sealed record HealthReport(HealthLevel Status, IReadOnlyList<HealthFinding> Findings);

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

/// <summary>The life of the process: not ready before the proxy listens, nor from the moment it drains.</summary>
internal sealed class LifetimeHealth(IHostApplicationLifetime lifetime, Drain drain) : IHealthSource
{
    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Find()
    {
        if (drain.IsUnderWay || lifetime.ApplicationStopping.IsCancellationRequested)
        {
            yield return new HealthFinding("draining", HealthLevel.Unready, "The proxy is shutting down: it says so in each answer, responses under way end, then new connections are refused.");
        }
        else if (!lifetime.ApplicationStarted.IsCancellationRequested)
        {
            yield return new HealthFinding("starting", HealthLevel.Unready, "The proxy does not listen yet.");
        }
    }
}
