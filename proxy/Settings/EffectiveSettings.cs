using System.Reflection;

namespace Breakwater.Proxy.Settings;

/// <summary>All settings as they are in force, defaults too, each with the place that it comes from. Secrets are not shown.</summary>
internal static class EffectiveSettings
{
    /// <summary>What stands in the place of a secret.</summary>
    public const string Hidden = "(hidden)";

    private const string ByDefault = "default";

    /// <summary>Sections whose values are shown as they are written: libraries read them.</summary>
    private static readonly string[] s_asWritten = ["ReverseProxy", "Logging"];

    /// <summary>Where the quota comes from that no setting gives.</summary>
    private const string ChosenQuota = "default, chosen at the first start: 80 % of what is free on the store's disk";

    private static readonly string[] s_secretNames = ["Password", "Secret", "Token", "Community", "ApiKey"];

    /// <summary>Lists them in the order of the sections.</summary>
    /// <param name="sources">Where they come from.</param>
    /// <param name="settings">Read from <paramref name="sources"/>.</param>
    public static IReadOnlyList<EffectiveSetting> List(SettingsSources sources, BreakwaterSettings settings)
    {
        List<EffectiveSetting> all = [];
        foreach (PropertyInfo section in typeof(BreakwaterSettings).GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (section.GetValue(settings) is { } options && section.PropertyType.IsClass && section.PropertyType != typeof(string)
                && !section.PropertyType.IsArray)
            {
                all.AddRange(OfSection(sources, section.Name == nameof(BreakwaterSettings.Trust) ? "Repositories" : section.Name, options));
            }
        }

        all.AddRange(settings.Repositories.OrderBy(one => one.Key, StringComparer.Ordinal)
            .Select(one => Make(sources, $"Repositories:{one.Key}:Cluster", one.Value.Cluster)));
        all.AddRange(settings.Repositories.OrderBy(one => one.Key, StringComparer.Ordinal).Where(one => one.Value.AllowRevision is not null)
            .Select(one => Make(sources, $"Repositories:{one.Key}:AllowRevision", one.Value.AllowRevision)));
        all.AddRange(settings.Repositories.OrderBy(one => one.Key, StringComparer.Ordinal).Where(one => one.Value.QuotaBytes is not null)
            .Select(one => Make(sources, $"Repositories:{one.Key}:QuotaBytes", one.Value.QuotaBytes)));
        all.AddRange(settings.Pins.OrderBy(one => one.Key, StringComparer.Ordinal)
            .SelectMany(one => OfSection(sources, $"Pins:{one.Key}", one.Value)));
        all.AddRange(s_asWritten.SelectMany(section => sources.Root.GetSection(section).AsEnumerable())
            .Where(value => value.Value is not null).OrderBy(value => value.Key, ConfigurationKeyComparer.Instance)
            .Select(value => Make(sources, value.Key, value.Value)));
        return all;
    }

    private static IEnumerable<EffectiveSetting> OfSection(SettingsSources sources, string section, object options)
    {
        foreach (PropertyInfo setting
            in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Where(p => p.SetMethod is { IsPrivate: false }))
        {
            string name = ConfigurationPath.Combine(section, setting.Name);
            object? value = setting.GetValue(options);
            if (value is IReadOnlyDictionary<string, string> table)
            {
                foreach (string key in table.Keys)
                {
                    yield return new EffectiveSetting(ConfigurationPath.Combine(name, key), Hidden,
                        PlaceOf(sources, ConfigurationPath.Combine(name, key)));
                }

                continue;
            }

            if (value is System.Collections.IEnumerable and not (string or string[]))
            {
                foreach ((string key, string? one) in sources.Root.GetSection(name).AsEnumerable().Where(one => one.Value is not null))
                {
                    yield return Make(sources, key, one);
                }

                continue;
            }

            // An empty list stands for a default.
            object? effective = options.GetType().GetProperty("Effective" + setting.Name)?.GetValue(options) ?? value;
            yield return Make(sources, name, effective);
        }
    }

    private static EffectiveSetting Make(SettingsSources sources, string name, object? value) =>
        new(name, Shown(name, value), value is null && name == "Store:QuotaBytes" ? ChosenQuota : PlaceOf(sources, name));

    private static string PlaceOf(SettingsSources sources, string name) => sources.Places.Of(name)?.ToString() ?? ByDefault;

    private static object? Shown(string name, object? value) => value switch
    {
        string text when text.Length > 0
            && s_secretNames.Any(secret => name.EndsWith(secret, StringComparison.OrdinalIgnoreCase)) => Hidden,
        string text when text.Contains("://", StringComparison.Ordinal) => ParentProxy.WithoutPassword(text),
        string[] list => list.Select(ParentProxy.WithoutPassword).ToArray(),
        TimeSpan or Enum => value.ToString(),
        _ => value,
    };
}
