using System.CommandLine;

namespace Breakwater.Proxy.Settings;

/// <summary>
/// Where settings come from: presets and the client's configuration, then the shipped <c>appsettings.json</c>, then the user's file, then
/// environment variables (<c>Store__Path</c>).
/// </summary>
internal static class SettingsFile
{
    /// <summary><c>--settings FILE</c>, on every command that reads settings.</summary>
    public static readonly Option<FileInfo> Option = new Option<FileInfo>("--settings")
    {
        Description = $"A settings file on top of the shipped appsettings.json; default {SystemFile} where it exists",
        HelpName = "FILE",
    }.AcceptExistingOnly();

    private const string SystemFile = "/etc/breakwater/appsettings.json";

    /// <summary>The files that are read, the later ones on top.</summary>
    public static IReadOnlyList<string> PathsOf(FileInfo? file) =>
        [Path.Combine(AppContext.BaseDirectory, "appsettings.json"), file?.FullName ?? SystemFile];

    /// <summary>Reads all sources, unchecked.</summary>
    /// <exception cref="SettingsException">A file is not JSON, or cannot be read.</exception>
    public static IConfigurationRoot Load(FileInfo? file) => LoadSources(file).Root;

    /// <summary>Reads and checks all sources.</summary>
    /// <param name="file">The user's file; null: the system's.</param>
    /// <param name="overlay">Values of a command on top; null: none.</param>
    /// <exception cref="SettingsException">Something is wrong: all mistakes at once, with their places.</exception>
    public static (IConfigurationRoot Configuration, BreakwaterSettings Settings) Read(
        FileInfo? file, IReadOnlyDictionary<string, string?>? overlay = null)
    {
        SettingsSources sources = LoadSources(file);
        IConfigurationRoot configuration = With(overlay, sources);
        return (configuration, sources.Bind(configuration));
    }

    /// <summary>As <see cref="Read"/>, but wrong settings are read as far as they can be.</summary>
    public static ReadableSettings ReadReadable(FileInfo? file, IReadOnlyDictionary<string, string?>? overlay = null)
    {
        SettingsSources sources = Open(file);
        return sources.BindReadable(With(overlay, sources));
    }

    /// <summary>As <see cref="Load"/>; they can be read again.</summary>
    /// <exception cref="SettingsException">A file is not JSON, or cannot be read.</exception>
    public static SettingsSources LoadSources(FileInfo? file)
    {
        SettingsSources sources = Open(file);
        sources.ThrowIfBroken();
        return sources;
    }

    private static SettingsSources Open(FileInfo? file)
    {
        IReadOnlyList<string> paths = PathsOf(file);
        return new SettingsSources(
            new SettingsFileProvider(paths[0], isOptional: true), new SettingsFileProvider(paths[1], isOptional: file is null));
    }

    private static IConfigurationRoot With(IReadOnlyDictionary<string, string?>? overlay, SettingsSources sources) =>
        overlay is { Count: > 0 }
            ? new ConfigurationBuilder().AddConfiguration(sources.Root).AddInMemoryCollection(overlay).Build()
            : sources.Root;
}
