using System.Reflection;

namespace Breakwater.Proxy.Settings;

/// <summary>Which settings are in force at once when they change: what their properties say (<see cref="ReloadedAttribute"/>).</summary>
internal static class ReloadedSettings
{
    /// <summary>The libraries' own sections, which follow their configuration.</summary>
    private static readonly string[] s_ofLibraries = ["ReverseProxy", "Logging"];

    /// <summary>Sections that are in force at once, but for <see cref="Fixed"/>.</summary>
    public static IReadOnlySet<string> Sections { get; } =
        All().Where(one => one.Setting is null && one.IsReloaded).Select(one => one.Section).Concat(s_ofLibraries)
        .ToHashSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Settings of other sections that are in force at once.</summary>
    public static IReadOnlySet<string> Single { get; } = Those(isReloaded: true);

    /// <summary>Settings of <see cref="Sections"/> that are not.</summary>
    public static IReadOnlySet<string> Fixed { get; } = Those(isReloaded: false);

    /// <summary>Is a change of this key in force at once? A member of a list has the key of the list and a number.</summary>
    public static bool Has(string key)
    {
        string[] parts = key.Split(ConfigurationPath.KeyDelimiter, 3);
        string setting = ConfigurationPath.Combine(parts.Take(2));
        return Single.Contains(setting) || (Sections.Contains(parts[0]) && !Fixed.Contains(setting));
    }

    private static HashSet<string> Those(bool isReloaded) => All()
        .Where(one => one.Setting is not null && one.IsReloaded == isReloaded)
        .Select(one => ConfigurationPath.Combine(one.Section, one.Setting!))
        .ToHashSet(StringComparer.OrdinalIgnoreCase);

    private static IEnumerable<(string Section, string? Setting, bool IsReloaded)> All() =>
        from section in typeof(BreakwaterSettings).GetProperties()
        let name = section.PropertyType == typeof(TrustOptions) ? nameof(BreakwaterSettings.Repositories) : section.Name
        from member in section.PropertyType.GetProperties().Prepend(section)
        let said = member.GetCustomAttribute<ReloadedAttribute>()
        where said is not null
        select (name, member == section ? null : member.Name, said.IsReloaded);
}
