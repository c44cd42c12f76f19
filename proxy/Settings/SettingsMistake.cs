namespace Breakwater.Proxy.Settings;

/// <summary>A mistake in the settings.</summary>
/// <param name="Text">The setting's name, what is wrong with it, and what is allowed.</param>
/// <param name="Places">Where it stands; empty when that is not known.</param>
internal sealed record SettingsMistake(string Text, params IReadOnlyList<SettingsPlace> Places)
{
    /// <summary>Is it in a section, or in one whose name is a misspelling of that section's?</summary>
    public bool IsAbout(string section) =>
        Text.StartsWith(section + ":", StringComparison.OrdinalIgnoreCase)
        || Text.Contains($" and {section}:", StringComparison.OrdinalIgnoreCase)
        || Text.EndsWith(SettingsBinder.Suggestion(section), StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public override string ToString() =>
        Places.Count == 0 ? Text : $"{Text} ({string.Join("; ", Places.Select(place => place.ToString()))})";
}
