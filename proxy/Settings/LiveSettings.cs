using Microsoft.Extensions.Primitives;

namespace Breakwater.Proxy.Settings;

/// <summary>
/// Watches the settings' sources: what is right is published whole, to YARP as well; what is wrong is refused with all its mistakes, and
/// the old settings stay in force. Connections do not notice.
/// </summary>
internal sealed partial class LiveSettings : IDisposable
{
    private readonly SettingsSources _sources;
    private readonly PublishedProvider _provider = new();
    private readonly IDisposable _reload;
    private readonly SettingsWatch _watch;
    private readonly ILogger _log;
    private readonly Lock _gate = new();

    /// <summary>Publishes the settings as they are now, and watches.</summary>
    /// <exception cref="SettingsException">They are wrong.</exception>
    public LiveSettings(SettingsSources sources, ILogger log, TimeProvider? time = null)
    {
        _sources = sources;
        _log = log;
        Dictionary<string, string?> values = Read();
        Settings = Check(values);
        _provider.Publish(values);
        Configuration = new ConfigurationBuilder().Add(new Source(_provider)).Build();
        _reload = ChangeToken.OnChange(sources.Root.GetReloadToken, () => Reload());
        _watch = new SettingsWatch(sources.Files, ReadAgain, time ?? TimeProvider.System);
    }

    /// <summary>The settings in force: right at any time, reloaded as a whole.</summary>
    public IConfigurationRoot Configuration { get; }

    /// <summary>The settings of the start.</summary>
    public BreakwaterSettings Settings { get; }

    /// <summary>Looks whether the files have changed, as it is done every second.</summary>
    public void Look() => _watch.Look();

    /// <summary>Reads all sources again, as SIGHUP asks for.</summary>
    public void ReadAgain()
    {
        try
        {
            _sources.Root.Reload();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Taken away, or made unreadable, at this moment.
            LogRefused(_log, e.Message);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _watch.Dispose();
        _reload.Dispose();
    }

    private static BreakwaterSettings Check(Dictionary<string, string?> values) =>
        BreakwaterSettings.Load(new ConfigurationBuilder().AddInMemoryCollection(values).Build());

    private Dictionary<string, string?> Read() =>
        _sources.Root.AsEnumerable().Where(v => v.Value is not null).ToDictionary(v => v.Key, v => v.Value, StringComparer.OrdinalIgnoreCase);

    private void Reload()
    {
        lock (_gate)
        {
            try
            {
                _sources.ThrowIfBroken();
                Dictionary<string, string?> values = Read();
                if (values.Count == _provider.Values.Count && values.All(v => _provider.Values.TryGetValue(v.Key, out string? old) && old == v.Value))
                {
                    return;
                }

                Check(values);
                _provider.Publish(values);
                LogReloaded(_log);
            }
            catch (SettingsException e)
            {
                LogRefused(_log, e.Message);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The settings were read again. Access, Repositories, ReverseProxy and Logging are in force; changes of the rest need a restart")]
    private static partial void LogReloaded(ILogger log);

    [LoggerMessage(Level = LogLevel.Error, Message = "The changed settings are refused, the old ones stay in force. {Mistakes}")]
    private static partial void LogRefused(ILogger log, string mistakes);

    private sealed class PublishedProvider : ConfigurationProvider
    {
        public IDictionary<string, string?> Values => Data;

        public void Publish(Dictionary<string, string?> values)
        {
            Data = values;
            OnReload();
        }
    }

    private sealed class Source(PublishedProvider provider) : IConfigurationSource
    {
        public IConfigurationProvider Build(IConfigurationBuilder builder) => provider;
    }
}
