using Breakwater.Proxy.Settings;
using Microsoft.Extensions.Primitives;

namespace Breakwater.Proxy.Host;

/// <summary>Hands reloaded settings to the rooms that take them while they run. YARP takes its own section by itself.</summary>
internal sealed partial class Reloading(IConfiguration configuration, IEnumerable<IReloadable> rooms, ILogger<Reloading> log)
    : IHostedService, IDisposable
{
    private readonly IReloadable[] _rooms = [.. rooms];
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
            foreach (IReloadable room in _rooms)
            {
                room.Take(settings);
            }
        }
        catch (SettingsException e)
        {
            LogRefused(log, e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The changed settings are refused, the old ones stay in force. {Mistakes}")]
    private static partial void LogRefused(ILogger log, string mistakes);
}
