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
    private readonly Dictionary<string, string?> _started;
    private volatile SettingsState _state = SettingsState.InForce;

    /// <summary>Publishes the settings as they are now, and watches.</summary>
    /// <exception cref="SettingsException">They are wrong.</exception>
    public LiveSettings(SettingsSources sources, ILogger log, TimeProvider? time = null)
    {
        _sources = sources;
        Log = log;
        Dictionary<string, string?> values = Read();
        Settings = Check(values);
        _started = values;
        _provider.Publish(values);
        Configuration = new ConfigurationBuilder().Add(new Source(_provider)).Build();
        _watch = new SettingsWatch(() => sources.Files, ReadAgain, time ?? TimeProvider.System);
    }

    /// <summary>The settings in force: right at any time, reloaded as a whole.</summary>
    public IConfigurationRoot Configuration { get; }

    /// <summary>Where it tells what it did; one that is made from <see cref="Configuration"/> follows it.</summary>
    public ILogger Log { get; set; }

    /// <summary>The settings of the start.</summary>
    public BreakwaterSettings Settings { get; }

    /// <summary>What the files say that is not in force.</summary>
    public SettingsState State => _state;

    /// <summary>Looks whether the files have changed, as it is done every second.</summary>
    public void Look() => _watch.Look();

    /// <summary>Reads all sources again, as SIGHUP asks for, and takes them into force if they are right. Any thread.</summary>
    public void ReadAgain()
    {
        lock (_gate)
        {
            try
            {
                _sources.Reload();
                _sources.ThrowIfBroken();
                Dictionary<string, string?> values = Read();
                Check(values);
                if (values.Count == _provider.Values.Count
                    && values.All(v => _provider.Values.TryGetValue(v.Key, out string? old) && old == v.Value))
                {
                    _state = _state with { Refusal = null };
                    return;
                }

                TakeLocked(values);
            }
            catch (Exception e) when (e is SettingsException or IOException or UnauthorizedAccessException)
            {
                // Wrong; or taken away, or made unreadable, at this moment.
                RefuseLocked(e.Message);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _watch.Dispose();

    private BreakwaterSettings Check(Dictionary<string, string?> values) =>
        _sources.Bind(new ConfigurationBuilder().AddInMemoryCollection(values).Build());

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
            RefuseLocked(failure);
            return;
        }

        string[] pending = [.. _started.Keys.Union(values.Keys, StringComparer.OrdinalIgnoreCase)
            .Where(key => !ReloadedSettings.Has(key)
                && _started.GetValueOrDefault(key) != values.GetValueOrDefault(key)).Order(StringComparer.Ordinal)];
        _state = new SettingsState(null, pending);
        LogReloaded(Log);
        if (pending.Length > 0)
        {
            LogPending(Log, string.Join(", ", pending));
        }
    }

    private void RefuseLocked(string why)
    {
        _state = _state with { Refusal = why };
        LogRefused(Log, why);
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

    [LoggerMessage(Level = LogLevel.Information, Message = "The settings were read again and are in force")]
    private static partial void LogReloaded(ILogger log);

    [LoggerMessage(Level = LogLevel.Warning, Message = "These changed settings wait for a restart: {Names}")]
    private static partial void LogPending(ILogger log, string names);

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
