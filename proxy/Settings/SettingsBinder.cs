using System.Globalization;
using System.Reflection;

namespace Breakwater.Proxy.Settings;

/// <summary>
/// Fills an options object from its section, one setting after the other: a mistake in one does not hide those in the others.
/// </summary>
internal static class SettingsBinder
{
    /// <summary>A name that differs from a setting's by at most this many letters is taken for a misspelling of it.</summary>
    private const int MaxTypos = 3;

    /// <summary>
    /// The options with all that is right; a line in <paramref name="errors"/> for each unknown name and unreadable value.
    /// </summary>
    /// <param name="section">The section.</param>
    /// <param name="children">Its children that belong to the options.</param>
    /// <param name="errors">Where the mistakes go.</param>
    public static T Bind<T>(string section, IEnumerable<IConfigurationSection> children, List<string> errors)
        where T : class, new()
    {
        var options = new T();
        Dictionary<string, PropertyInfo> settings = typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.SetMethod is { IsPublic: true }).ToDictionary(p => p.Name, StringComparer.OrdinalIgnoreCase);
        foreach (IConfigurationSection child in children)
        {
            if (!settings.TryGetValue(child.Key, out PropertyInfo? setting))
            {
                errors.Add(Unknown($"{section}:{child.Key}", child.Key, settings.Values.Select(p => p.Name)));
            }
            else if (Problem(child, setting.PropertyType) is { } problem)
            {
                errors.Add($"{section}:{setting.Name}: {problem}");
            }
            else
            {
                Set(options, setting, child, errors);
            }
        }

        return options;
    }

    /// <summary>What is said of a name that is no setting.</summary>
    /// <param name="path">The name in full.</param>
    /// <param name="name">The part of it that is unknown.</param>
    /// <param name="known">What would be known in its place.</param>
    public static string Unknown(string path, string name, IEnumerable<string> known)
    {
        string[] all = [.. known.Order(StringComparer.Ordinal)];
        string? near = Nearest(name, all);
        return near is null
            ? $"{path}: there is no such setting; here are {string.Join(", ", all)}."
            : $"{path}: there is no such setting; {Suggestion(near)}";
    }

    /// <summary>The end of what <see cref="Unknown"/> says of a misspelt name.</summary>
    public static string Suggestion(string near) => $"did you mean {near}?";

    /// <summary>Of known names the one of which a name may be a misspelling; null: none.</summary>
    public static string? Nearest(string name, IEnumerable<string> known) =>
        known.Select(k => (Name: k, Typos: Typos(name.ToUpperInvariant(), k.ToUpperInvariant())))
            .Where(k => k.Typos <= Math.Min(MaxTypos, k.Name.Length / 2))
            .OrderBy(k => k.Typos).Select(k => k.Name).FirstOrDefault();

    private static void Set(object options, PropertyInfo setting, IConfigurationSection value, List<string> errors)
    {
        try
        {
            // An empty list is no value, for which the default stands.
            if (value.Get(setting.PropertyType) is { } bound)
            {
                setting.SetValue(options, bound);
            }
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException)
        {
            errors.Add($"{value.Path}: '{value.Value}' is not {Wanted(setting.PropertyType)}.");
        }
    }

    /// <summary>A list where one value belongs, or the other way round, would be passed over in silence.</summary>
    private static string? Problem(IConfigurationSection value, Type type)
    {
        bool isMany = type.IsArray || type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Dictionary<,>);
        return isMany switch
        {
            true when !string.IsNullOrEmpty(value.Value) => type.IsArray
                ? $"'{value.Value}' must stand in a list: [ \"{value.Value}\" ]; as an environment variable its name ends in __0."
                : "names with values belong here: { \"name\": \"value\" }.",
            false when value.GetChildren().Any() => $"one value belongs here ({Wanted(type)}), not a list or a section.",
            true when type.IsArray => ListProblem(value),
            true => TableProblem(value),
            _ => null,
        };
    }

    /// <summary>A table would be taken for a list of its values, and a list in a list for nothing.</summary>
    private static string? ListProblem(IConfigurationSection list) =>
        list.GetChildren().FirstOrDefault(one => !IsIndex(one.Key)) is { } named
            ? $"'{named.Key}' is a name; a list belongs here: [ \"{named.Value}\" ]."
            : list.GetChildren().Any(one => one.GetChildren().Any()) ? "the elements of this list are plain values." : null;

    /// <summary>A list would be taken for a table whose names are 0, 1, 2.</summary>
    private static string? TableProblem(IConfigurationSection table)
    {
        IConfigurationSection[] entries = [.. table.GetChildren()];
        return entries.Length > 0
            && Enumerable.Range(0, entries.Length).All(i => entries.Any(e => e.Key == i.ToString(CultureInfo.InvariantCulture)))
            ? "this is a list; names with values belong here: { \"name\": \"value\" }."
            : entries.FirstOrDefault(entry => entry.Value is null) is { } empty
            ? $"{empty.Key}: one value belongs here, as text: {{ \"{empty.Key}\": \"value\" }}."
            : null;
    }

    private static bool IsIndex(string key) => int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out _);

    private static string Wanted(Type type)
    {
        Type plain = Nullable.GetUnderlyingType(type) ?? type;
        return plain switch
        {
            { IsEnum: true } => "one of " + string.Join(", ", Enum.GetNames(plain)),
            _ when plain == typeof(bool) => "true or false",
            _ when plain == typeof(TimeSpan) => "a time such as 00:00:01.5",
            _ when plain == typeof(TimeOnly) => "a time of day such as 08:00",
            _ when plain == typeof(int) || plain == typeof(long) => "a whole number",
            _ when plain == typeof(double) => "a number such as 0.01",
            _ => "text",
        };
    }

    /// <summary>Letters to add, drop or change (Levenshtein).</summary>
    private static int Typos(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
            }
        }

        return row[^1];
    }
}
