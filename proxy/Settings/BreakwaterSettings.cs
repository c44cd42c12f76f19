using Breakwater.CacheStore;

namespace Breakwater.Proxy.Settings;

/// <summary>All settings, bound and validated: what the rooms are given.</summary>
internal sealed class BreakwaterSettings
{
    public required ProxyOptions Proxy { get; init; }

    [Reloaded]
    public required AccessOptions Access { get; init; }

    public required StoreOptions Store { get; init; }

    public AdminOptions Admin { get; init; } = new();

    public AccessLogOptions AccessLog { get; init; } = new();

    public TelemetryOptions Telemetry { get; init; } = new();

    [Reloaded]
    public HttpOptions Http { get; init; } = new();

    [Reloaded]
    public UpstreamOptions Upstream { get; init; } = new();

    /// <summary>Is there anybody beside CernVM-FS that is asked?</summary>
    public bool HasOrdinaryHttp => Http.Sites.Count > 0 || Access.Destinations.Length > 0;

    public SnmpOptions Snmp { get; init; } = new();

    public ZeroTouchOptions ZeroTouch { get; init; } = new();

    [Reloaded]
    public TrustOptions Trust { get; init; } = new();

    public WorkingSetOptions WorkingSets { get; init; } = new();

    public PublishOptions Publish { get; init; } = new();

    [Reloaded]
    public SeedOptions Seeds { get; init; } = new();

    /// <summary>By name: what is kept from eviction because these settings say so.</summary>
    [Reloaded]
    public IReadOnlyDictionary<string, PinOptions> Pins { get; init; } = new Dictionary<string, PinOptions>();

    public ClusterOptions Cluster { get; init; } = new();

    /// <summary>
    /// Communities whose repositories and Stratum 1s are known without being written down. Default <see cref="PresetFiles.ByDefault"/>; an
    /// empty list: none.
    /// </summary>
    [Reloaded]
    public string[] Presets { get; init; } = PresetFiles.ByDefault;

    /// <summary>By pattern: <c>*.cern.ch</c> or a full name.</summary>
    [Reloaded]
    public required IReadOnlyDictionary<string, RepositoryOptions> Repositories { get; init; }

    /// <summary>The sections that a settings file may have.</summary>
    public static readonly string[] Sections =
        ["Proxy", "Access", "Store", "Admin", "AccessLog", "Telemetry", "Snmp", "ZeroTouch", "Repositories", "Http", "WorkingSets",
        "Publish", "ReverseProxy", "Logging", "Presets", "Seeds", "Pins", "Cluster", "Upstream"];

    /// <summary>Binds the sections and checks them.</summary>
    /// <exception cref="SettingsException">Something is wrong: all mistakes at once.</exception>
    public static BreakwaterSettings Load(IConfiguration configuration)
    {
        var errors = new List<string>();
        BreakwaterSettings settings = LoadReadable(configuration, errors);
        return errors.Count == 0 ? settings : throw new SettingsException(errors);
    }

    /// <summary>Binds the sections and checks them; in the place of what is wrong stands the default.</summary>
    /// <param name="configuration">All sources.</param>
    /// <param name="errors">Where the mistakes go.</param>
    public static BreakwaterSettings LoadReadable(IConfiguration configuration, List<string> errors)
    {
        var settings = new BreakwaterSettings
        {
            Proxy = Bind<ProxyOptions>(configuration, "Proxy", errors),
            Access = Bind<AccessOptions>(configuration, "Access", errors),
            Store = Bind<StoreOptions>(configuration, "Store", errors),
            Admin = Bind<AdminOptions>(configuration, "Admin", errors),
            AccessLog = Bind<AccessLogOptions>(configuration, "AccessLog", errors),
            Telemetry = Bind<TelemetryOptions>(configuration, "Telemetry", errors),
            Snmp = Bind<SnmpOptions>(configuration, "Snmp", errors),
            ZeroTouch = Bind<ZeroTouchOptions>(configuration, "ZeroTouch", errors),
            Http = HttpSections.Bind(configuration, errors),
            Upstream = UpstreamSections.Bind(configuration, errors),
            Trust = SettingsBinder.Bind<TrustOptions>("Repositories", PlainRepositoryValues(configuration, errors), errors),
            WorkingSets = Bind<WorkingSetOptions>(configuration, "WorkingSets", errors),
            Publish = Bind<PublishOptions>(configuration, "Publish", errors),
            Seeds = Bind<SeedOptions>(configuration, "Seeds", errors),
            Pins = DeclaredSections.BindPins(configuration, errors),
            Cluster = Bind<ClusterOptions>(configuration, "Cluster", errors),
            Presets = BindPresets(configuration.GetSection("Presets"), errors),
            Repositories = configuration.GetSection("Repositories").GetChildren()
                .Where(section => section.GetChildren().Any())
                .ToDictionary(section => section.Key, section => Bind<RepositoryOptions>(configuration, section.Path, errors),
                StringComparer.Ordinal),
        };
        errors.AddRange(Sections.Where(section => section != nameof(Presets) && !string.IsNullOrEmpty(configuration[section]))
            .Select(section => $"{section}: '{configuration[section]}' is one value; a section belongs here: {{ \"name\": value }}."));
        settings.Store.Path ??= DefaultStorePath();
        settings.Store.ShareWithNamed(settings.Http.QuotaShare);
        settings.Store.Count(RepositoryOptions.SharesOf(settings.Repositories));
        settings.Admin.TokenFile ??= Path.Combine(settings.Store.Path, "admin.token");
        SettingsValidator.Check(settings, configuration, errors);
        return settings;
    }

    private static T Bind<T>(IConfiguration configuration, string section, List<string> errors)
        where T : class, new() => SettingsBinder.Bind<T>(section, configuration.GetSection(section).GetChildren(), errors);

    private static string[] BindPresets(IConfigurationSection presets, List<string> errors)
    {
        string[] chosen = [.. presets.GetChildren().Select(child => child.Value ?? "")];
        if (!string.IsNullOrEmpty(presets.Value))
        {
            errors.Add($"Presets: '{presets.Value}' must stand in a list: [ \"{presets.Value}\" ]; as an environment variable its name "
                + $"ends in __0.");
        }

        errors.AddRange(chosen.Where(name => PresetFiles.Find(name) is null)
            .Select(name => $"Presets: '{name}' is none of {string.Join(", ", PresetFiles.Names)}."));
        return chosen.Length > 0 || presets.Value is "" ? chosen : PresetFiles.ByDefault;
    }

    /// <summary>
    /// What stands in <c>Repositories</c> beside the repositories. A pattern without a cluster is none of it: set to null, it is taken out.
    /// </summary>
    private static IEnumerable<IConfigurationSection> PlainRepositoryValues(IConfiguration configuration, List<string> errors)
    {
        ILookup<bool, IConfigurationSection> plain = configuration.GetSection("Repositories").GetChildren()
            .Where(child => !child.GetChildren().Any()).ToLookup(child => child.Key.Contains('.', StringComparison.Ordinal));
        errors.AddRange(plain[true].Where(pattern => pattern.Value is not null)
            .Select(pattern =>
            $"Repositories:{pattern.Key}: '{pattern.Value}' is one value; {{ \"Cluster\": \"NAME\" }} belongs here, "
                + "or null to take it out."));
        return plain[false];
    }

    private static string DefaultStorePath() => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache
            ? cache
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
        "breakwater");
}
