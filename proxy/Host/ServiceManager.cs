using Breakwater.Proxy.Access;
using Microsoft.Extensions.Hosting.Systemd;

namespace Breakwater.Proxy.Host;

/// <summary>
/// Tells the service manager (sd_notify) when the proxy listens, and when it ends. Wherever <c>NOTIFY_SOCKET</c> is set: the library's own
/// test, whether the parent is called systemd, finds nothing under <c>ProtectProc=invisible</c>, and a unit of <c>Type=notify</c> would be
/// killed for never having started.
/// </summary>
internal sealed class ServiceManager(IHostApplicationLifetime lifetime, Drain drain, ISystemdNotifier notifier) : IHostedService
{
    /// <summary>Does a service manager wait for word?</summary>
    public static bool IsThere => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NOTIFY_SOCKET"));

    /// <summary>Registers it where there is one.</summary>
    public static void Add(IServiceCollection services)
    {
        if (IsThere)
        {
            services.AddSingleton<ISystemdNotifier, SystemdNotifier>();
            services.AddHostedService<ServiceManager>();
        }
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStarted.Register(() => notifier.Notify(ServiceState.Ready));
        drain.Begun.Register(() => notifier.Notify(ServiceState.Stopping));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
