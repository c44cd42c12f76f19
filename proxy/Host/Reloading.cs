using Breakwater.Proxy.Access;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Microsoft.Extensions.Primitives;

namespace Breakwater.Proxy.Host;

/// <summary>Hands reloaded settings to the rooms that take them while they run. YARP takes its own section by itself.</summary>
internal sealed partial class Reloading(
    IConfiguration configuration,
    ClientAccess clients,
    DestinationAccess destinations,
    ConnectAccess tunnels,
    AddressGuard addresses,
    ProxyUsers users,
    ClientLimits limits,
    RepositoryRoutes repositories,
    DestinationClients otherDestinations,
    HttpPolicy http,
    ParentProxies parents,
    TrustOptions trust,
    KeysWatch keys,
    SeedOptions seedOptions,
    SeedStart seeds,
    ILogger<Reloading> log) : IHostedService, IDisposable
{
    private IDisposable? _watch;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _watch = ChangeToken.OnChange(configuration.GetReloadToken, Apply);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => _watch?.Dispose();

    private void Apply()
    {
        try
        {
            BreakwaterSettings settings = BreakwaterSettings.Load(configuration);
            AccessOptions access = settings.Access;
            clients.Replace(access.EffectiveClients);
            destinations.Replace(access.Destinations);
            tunnels.Replace(access.Connect);
            addresses.Replace(access.AllowedUpstreams);
            http.Replace(settings.Http);
            otherDestinations.Renew();
            users.Replace(access.Users);
            limits.Replace(access.MaxConnectionsPerClient, access.MaxRequestsPerSecondPerClient);
            repositories.Replace(settings.Repositories);
            parents.Replace(configuration);
            trust.Take(settings.Trust);
            keys.Look();
            seedOptions.Take(settings.Seeds);
            seeds.RevealAgain();
        }
        catch (SettingsException e)
        {
            LogRefused(log, e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The changed settings are refused, the old ones stay in force. {Mistakes}")]
    private static partial void LogRefused(ILogger log, string mistakes);
}
