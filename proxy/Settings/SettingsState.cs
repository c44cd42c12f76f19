namespace Breakwater.Proxy.Settings;

/// <summary>What the settings' files say that is not in force.</summary>
/// <param name="Refusal">Why the files were refused as they are now; null: they were not.</param>
/// <param name="Pending">Names of settings that wait for a restart.</param>
internal sealed record SettingsState(string? Refusal, IReadOnlyList<string> Pending)
{
    /// <summary>All that they say is in force.</summary>
    public static readonly SettingsState InForce = new(null, []);
}
