using Breakwater.Proxy.Access;

namespace Breakwater.Proxy.Observability;

/// <summary>The life of the process: not ready before the proxy listens, nor from the moment it drains.</summary>
internal sealed class LifetimeHealth(IHostApplicationLifetime lifetime, Drain drain) : IHealthSource
{
    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Find()
    {
        if (drain.IsUnderWay || lifetime.ApplicationStopping.IsCancellationRequested)
        {
            yield return new HealthFinding("draining", HealthLevel.Unready,
                "The proxy is shutting down: it says so in each answer, responses under way end, then new connections are refused.");
        }
        else if (!lifetime.ApplicationStarted.IsCancellationRequested)
        {
            yield return new HealthFinding("starting", HealthLevel.Unready, "The proxy does not listen yet.");
        }
    }
}
