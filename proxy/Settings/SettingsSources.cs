using System.Collections.Concurrent;
using Microsoft.Extensions.Configuration.Json;

namespace Breakwater.Proxy.Settings;

/// <summary>The sources of the settings, and those of their files that cannot be read at present. Thread-safe.</summary>
internal sealed class SettingsSources
{
    private readonly ConcurrentDictionary<string, byte> _broken = new(StringComparer.Ordinal);

    /// <summary>Paths of the files among them.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>All sources, the later ones on top.</summary>
    public IConfigurationRoot Root { get; set; } = null!;

    /// <summary>A file could not be read: without this a broken edit of a watched file would end the process.</summary>
    public void Remember(FileLoadExceptionContext context)
    {
        context.Ignore = true;
        if (context.Provider is JsonConfigurationProvider { Source: { Path: { } path, FileProvider: { } files } }
            && files.GetFileInfo(path).PhysicalPath is { } file)
        {
            _broken.TryAdd(file, 0);
        }
    }

    /// <summary>
    /// Tries the broken files again, and looks for sections that do not exist; the environment is full of names that are no settings and is
    /// not looked at.
    /// </summary>
    /// <exception cref="SettingsException">A file is still broken, or has an unknown section; each is named with its mistake.</exception>
    public void ThrowIfBroken()
    {
        List<string> errors = [];
        foreach (string file in _broken.Keys)
        {
            try
            {
                new ConfigurationBuilder().AddJsonFile(file).Build();
                _broken.TryRemove(file, out _);
            }
            catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException or FormatException)
            {
                errors.Add($"{e.Message} {e.InnerException?.Message}".Trim());
            }
        }

        errors.AddRange(Root.Providers.OfType<JsonConfigurationProvider>().SelectMany(file => file.GetChildKeys([], null))
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .Where(section => !BreakwaterSettings.Sections.Contains(section, StringComparer.OrdinalIgnoreCase))
            .Select(section => SettingsBinder.Unknown(section, section, BreakwaterSettings.Sections)));
        if (errors.Count > 0)
        {
            throw new SettingsException(errors);
        }
    }
}
