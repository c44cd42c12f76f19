using System.CommandLine;

namespace Breakwater.Proxy.Settings;

/// <summary>
/// Where settings come from: the shipped <c>appsettings.json</c>, then the user's file, then environment variables (<c>Store__Path</c>).
/// </summary>
internal static class SettingsFile
{
    /// <summary><c>--settings FILE</c>, on every command that reads settings.</summary>
    public static readonly Option<FileInfo> Option = new Option<FileInfo>("--settings")
    {
        Description = "A settings file on top of the shipped appsettings.json; default /etc/breakwater/appsettings.json where it exists",
        HelpName = "FILE",
    }.AcceptExistingOnly();

    private const string SystemFile = "/etc/breakwater/appsettings.json";

    /// <summary>Reads all sources.</summary>
    /// <exception cref="SettingsException">A file is not JSON, or cannot be read.</exception>
    public static IConfigurationRoot Load(FileInfo? file) => LoadSources(file).Root;

    /// <summary>As <see cref="Load"/>; remembers files that later become unreadable.</summary>
    /// <exception cref="SettingsException">A file is not JSON, or cannot be read.</exception>
    public static SettingsSources LoadSources(FileInfo? file)
    {
        string shipped = Path.Combine(AppContext.BaseDirectory, "appsettings.json");
        string own = file?.FullName ?? SystemFile;
        var sources = new SettingsSources { Files = [shipped, own] };
        try
        {
            sources.Root = new ConfigurationBuilder()
                .SetFileLoadExceptionHandler(sources.Remember)
                .Add(Shipped(shipped))
                .AddJsonFile(own, optional: file is null, reloadOnChange: false)
                .AddEnvironmentVariables()
                .Build();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException([$"{e.Message} The user of this process must be able to read it."]);
        }

        sources.Root.Providers.OfType<ShippedSettings>().Single().Above = [.. sources.Root.Providers.Where(p => p is not ShippedSettings)];
        sources.ThrowIfBroken();
        return sources;
    }

    private static ShippedSettings.FileSource Shipped(string path)
    {
        var source = new ShippedSettings.FileSource { Path = path, Optional = true, ReloadOnChange = false };
        source.ResolveFileProvider();
        return source;
    }
}
