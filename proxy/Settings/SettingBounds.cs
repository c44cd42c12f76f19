using System.Reflection;
using Breakwater.CacheStore;

namespace Breakwater.Proxy.Settings;

/// <summary>Checks each setting against the bounds that stand on its property (<see cref="BetweenAttribute"/>).</summary>
internal static class SettingBounds
{
    /// <summary>The settings with bounds, section by section.</summary>
    public static IReadOnlyList<(PropertyInfo Section, PropertyInfo Setting, BetweenAttribute Bounds)> All { get; } =
    [
        .. from section in typeof(BreakwaterSettings).GetProperties()
           where section.PropertyType.Name.EndsWith("Options", StringComparison.Ordinal)
           from setting in section.PropertyType.GetProperties()
           let bounds = setting.GetCustomAttribute<BetweenAttribute>()
           where bounds is not null
           select (section, setting, bounds),
    ];

    /// <summary>Adds a line to <paramref name="errors"/> for each that is outside; what is not given is not checked.</summary>
    public static void Check(BreakwaterSettings settings, List<string> errors)
    {
        foreach ((PropertyInfo section, PropertyInfo setting, BetweenAttribute bounds) in All)
        {
            if (setting.GetValue(section.GetValue(settings)) is not { } value)
            {
                continue;
            }

            (IComparable least, IComparable most) = bounds.As(value.GetType());
            if (least.CompareTo(value) > 0 || most.CompareTo(value) < 0 || value is double.NaN)
            {
                string text = FormattableString.Invariant(
                    $"{section.Name}:{setting.Name}: {value} is outside {least} to {most} {bounds.Unit}");
                errors.Add(text.TrimEnd() + ".");
            }
        }
    }
}
