namespace Breakwater.Proxy.Settings;

/// <summary>
/// The settings are wrong: every mistake, each with the setting's name, what is allowed, and where it stands if that is known.
/// </summary>
internal sealed class SettingsException(IReadOnlyList<SettingsMistake> mistakes)
    : Exception("The settings are wrong:" + string.Concat(mistakes.Select(e => Environment.NewLine + "  - " + e)))
{
    public SettingsException(IEnumerable<string> errors)
        : this([.. errors.Select(error => new SettingsMistake(error))])
    {
    }

    public IReadOnlyList<SettingsMistake> Mistakes => mistakes;

    /// <summary>The mistakes as text.</summary>
    public IReadOnlyList<string> Errors { get; } = [.. mistakes.Select(mistake => mistake.ToString())];
}
