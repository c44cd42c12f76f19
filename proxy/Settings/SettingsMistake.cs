namespace Breakwater.Proxy.Settings;

/// <summary>A mistake in the settings.</summary>
/// <param name="Text">The setting's name, what is wrong with it, and what is allowed.</param>
/// <param name="Places">Where it stands; empty when that is not known.</param>
internal sealed record SettingsMistake(string Text, params IReadOnlyList<SettingsPlace> Places)
{
    /// <inheritdoc/>
    public override string ToString() =>
        Places.Count == 0 ? Text : $"{Text} ({string.Join("; ", Places.Select(place => place.ToString()))})";
}
