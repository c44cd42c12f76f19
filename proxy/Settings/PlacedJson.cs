namespace Breakwater.Proxy.Settings;

/// <summary>A settings file, read: its values by their configuration keys, where each stands, and what is wrong with the text.</summary>
internal sealed class PlacedJson
{
    /// <summary>Values as .NET's JSON configuration has them: null for null and for an empty object, empty for an empty list.</summary>
    public Dictionary<string, string?> Values { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Where each name and each element of a list stands, those of sections as well.</summary>
    public Dictionary<string, SettingsPlace> Places { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Sections that are written as lists.</summary>
    public HashSet<string> Lists { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Mistakes of the text.</summary>
    public List<SettingsMistake> Problems { get; } = [];

    /// <summary>Could the text not be read to its end? Then values are missing.</summary>
    public bool IsBroken { get; set; }

    /// <summary>The text of a file that is broken; null: nothing of it is known.</summary>
    public string? BrokenText { get; set; }

    /// <summary>Names at the top whose values were read to their end.</summary>
    public HashSet<string> WholeSections { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>May a section stand in the part of a broken file that was not read?</summary>
    public bool MayHide(string section) => IsBroken
        && (BrokenText is null
        || (!WholeSections.Contains(section) && BrokenText.Contains($"\"{section}", StringComparison.OrdinalIgnoreCase)));
}
