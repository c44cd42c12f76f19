namespace Breakwater.Proxy.Observability;

/// <summary>Work beside the requests of clients that an error has ended. Clients are served as ever: that alone stops no proxy.</summary>
/// <param name="services">All that runs in the background.</param>
internal sealed class BackgroundHealth(Func<IEnumerable<IHostedService>> services) : IHealthSource
{
    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Find() =>
        from service in services().OfType<BackgroundService>()
        where service.ExecuteTask is { IsFaulted: true }
        select new HealthFinding("background-ended", HealthLevel.Degraded,
            $"{service.GetType().Name} has ended: {service.ExecuteTask!.Exception!.GetBaseException().Message} Clients are served without "
            + "it. Restart Breakwater, and report it with what the log says.");
}
