namespace Breakwater.Proxy.Settings;

/// <summary>
/// Watches the settings' sources: what is right is published whole, to YARP as well; what is wrong is refused with all its mistakes, and
/// the old settings stay in force. Connections do not notice.
/// </summary>
internal sealed partial class LiveSettings : IDisposable
{
    private readonly SettingsSources _sources;
    private readonly PublishedProvider _provider = new();
    private readonly SettingsWatch _watch;
    private readonly Lock _gate = new();

    /// <summary>Publishes the settings as they are now, and watches.</summary>
    /// <exception cref="SettingsException">They are wrong.</exception>
    public LiveSettings(SettingsSources sources, ILogger log, TimeProvider? time = null)
    {
        _sources = sources;
        Log = log;
        Dictionary<string, string?> values = Read();
        Settings = Check(values);
        _provider.Publish(values);
        Configuration = new ConfigurationBuilder().Add(new Source(_provider)).Build();
        _watch = new SettingsWatch(sources.Files, ReadAgain, time ?? TimeProvider.System);
    }

    /// <summary>The settings in force: right at any time, reloaded as a whole.</summary>
    public IConfigurationRoot Configuration { get; }

    /// <summary>Where it tells what it did; one that is made from <see cref="Configuration"/> follows it.</summary>
    public ILogger Log { get; set; }

    /// <summary>The settings of the start.</summary>
    public BreakwaterSettings Settings { get; }

    /// <summary>Looks whether the files have changed, as it is done every second.</summary>
    public void Look() => _watch.Look();

    /// <summary>Reads all sources again, as SIGHUP asks for, and takes them into force if they are right. Any thread.</summary>
    public void ReadAgain()
    {
        lock (_gate)
        {
            try
            {
                _sources.Root.Reload();
                _sources.ThrowIfBroken();
                Dictionary<string, string?> values = Read();
                if (values.Count == _provider.Values.Count
                    && values.All(v => _provider.Values.TryGetValue(v.Key, out string? old) && old == v.Value))
                {
                    return;
                }

                Check(values);
                TakeLocked(values);
            }
            catch (Exception e) when (e is SettingsException or IOException or UnauthorizedAccessException)
            {
                // Wrong; or taken away, or made unreadable, at this moment.
                LogRefused(Log, e.Message);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _watch.Dispose();

    private static BreakwaterSettings Check(Dictionary<string, string?> values) =>
        BreakwaterSettings.Load(new ConfigurationBuilder().AddInMemoryCollection(values).Build());

    private Dictionary<string, string?> Read() =>
        _sources.Root.AsEnumerable().Where(v => v.Value is not null)
        .ToDictionary(v => v.Key, v => v.Value, StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Publishes to whoever listens, libraries too. What one of them cannot take must not end the process, which an error on a timer's or a
    /// signal's thread does: the settings before are published again.
    /// </summary>
    private void TakeLocked(Dictionary<string, string?> values)
    {
        IDictionary<string, string?> before = _provider.Values;
        if (Failure(() => _provider.Publish(values)) is { } failure)
        {
            _ = Failure(() => _provider.Publish(before));
            LogRefused(Log, failure);
            return;
        }

        LogReloaded(Log);
    }

    private static string? Failure(Action publish)
    {
        try
        {
            publish();
            return null;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return e.GetBaseException().Message;
        }
    }

    [LoggerMessage(Level = LogLevel.Information,
        Message = "The settings were read again. Access, Http, Repositories, ReverseProxy and Logging are in force; changes of "
        + "the rest need a restart")]
    private static partial void LogReloaded(ILogger log);

    [LoggerMessage(Level = LogLevel.Error, Message = "The changed settings are refused, the old ones stay in force. {Mistakes}")]
    private static partial void LogRefused(ILogger log, string mistakes);

    private sealed class PublishedProvider : ConfigurationProvider
    {
        public IDictionary<string, string?> Values => Data;

        public void Publish(IDictionary<string, string?> values)
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
