namespace Breakwater.Proxy.Settings;

/// <summary>A source of settings that knows where each of its values stands.</summary>
internal interface IPlacedSource
{
    /// <summary>The place of a setting or section; null: it has none of that name.</summary>
    SettingsPlace? PlaceOf(string key);
}
