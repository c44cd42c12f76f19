using Microsoft.Extensions.Configuration.EnvironmentVariables;

namespace Breakwater.Proxy.Settings;

/// <summary>The sources of the settings: they can be read again, and tell where a value stands. One caller at a time.</summary>
internal sealed class SettingsSources
{
    private static readonly string[] s_besideAdmin =
        [nameof(AdminOptions.Readers), nameof(AdminOptions.Hosts), nameof(AdminOptions.TlsCertificate), nameof(AdminOptions.TlsKey)];

    private readonly SettingsFileProvider[] _files;
    private readonly IConfigurationRoot _site;
    private readonly PresetSettings _presets;

    /// <summary>Reads files, the later ones on top, and the environment above them.</summary>
    public SettingsSources(params SettingsFileProvider[] files)
        : this(files, [.. files, new EnvironmentVariablesConfigurationProvider()])
    {
    }

    private SettingsSources(SettingsFileProvider[] files, IConfigurationProvider[] own)
        : this(files, own, new ConfigurationRoot(own))
    {
    }

    private SettingsSources(SettingsFileProvider[] files, IConfigurationProvider[] own, IConfigurationRoot site)
    {
        _files = files;
        _site = site;
        _presets = new PresetSettings(site);
        Root = new ConfigurationRoot([_presets, .. own]);
        Places = new SettingsPlaces([_presets, .. own]);
    }

    /// <summary>All sources, the later ones on top.</summary>
    public IConfigurationRoot Root { get; }

    /// <summary>Where values stand.</summary>
    public SettingsPlaces Places { get; }

    /// <summary>Paths of all files among them, those of the client's configuration as well.</summary>
    public IEnumerable<string> Files =>
        _files.Select(file => file.Path).Concat(_presets.ClientDirectory is { } directory ? ClientConfiguration.Files(directory) : []);

    /// <summary>Reads all of them again.</summary>
    public void Reload()
    {
        _site.Reload(); // the presets look at it
        Root.Reload();
    }

    /// <summary>Looks whether each file could be read to its end.</summary>
    /// <exception cref="SettingsException">One could not: what it says is not known as a whole, so nothing else is judged.</exception>
    public void ThrowIfBroken()
    {
        if (_files.Any(file => file.Content.IsBroken))
        {
            throw new SettingsException([.. _files.SelectMany(file => file.Content.Problems)]);
        }
    }

    /// <summary>The settings, checked.</summary>
    /// <param name="configuration">The sources with what a command put on top; null: <see cref="Root"/>.</param>
    /// <exception cref="SettingsException">Something is wrong: all mistakes of all sections, each with its place.</exception>
    public BreakwaterSettings Bind(IConfiguration? configuration = null)
    {
        ThrowIfBroken();
        ReadableSettings read = BindReadable(configuration);
        return read.Wrong is null ? read.Settings : throw read.Wrong;
    }

    /// <summary>The settings as far as they can be read. What is said of a file that is not whole is why; nothing else is judged.</summary>
    /// <param name="configuration">The sources with what a command put on top; null: <see cref="Root"/>.</param>
    public ReadableSettings BindReadable(IConfiguration? configuration = null)
    {
        bool isBroken = _files.Any(file => file.Content.IsBroken);
        List<string> errors = [];
        var settings = BreakwaterSettings.LoadReadable(configuration ?? Root, errors);
        SettingsMistake[] problems = [.. _files.SelectMany(file => file.Content.Problems)];
        SettingsMistake[] all = [.. problems, .. UnknownSections().Select(Places.Locate), .. errors.Select(Places.Locate)];
        bool knowsAdmin = !all.Any(HidesAdmin) && !_files.Any(file => file.Content.MayHide(nameof(BreakwaterSettings.Admin)));
        return new ReadableSettings(configuration as IConfigurationRoot ?? Root, settings,
            all.Length == 0 ? null : new SettingsException(isBroken ? problems : all), isBroken, knowsAdmin);
    }

    /// <summary>Who may read and what the certificate is does not tell where the port is.</summary>
    private static bool HidesAdmin(SettingsMistake mistake) =>
        mistake.IsAbout(nameof(BreakwaterSettings.Admin))
        && !s_besideAdmin.Any(name => mistake.Text.StartsWith($"Admin:{name}:", StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// Names of sections that do not exist. The environment is full of names that are no settings: there, only what is nearly a section's
    /// name counts.
    /// </summary>
    private IEnumerable<string> UnknownSections() =>
        _files.SelectMany(file => file.GetChildKeys([], null)).Concat(NearlySections()).Distinct(StringComparer.OrdinalIgnoreCase)
            .Where(section => !BreakwaterSettings.Sections.Contains(section, StringComparer.OrdinalIgnoreCase))
            .Select(section => SettingsBinder.Unknown(section, section, BreakwaterSettings.Sections));

    private IEnumerable<string> NearlySections() =>
        _site.Providers.OfType<EnvironmentVariablesConfigurationProvider>().SelectMany(environment => environment.GetChildKeys([], null)
            .Where(name => environment.GetChildKeys([], name).Any()
            && SettingsBinder.Nearest(name, BreakwaterSettings.Sections) is not null));
}
