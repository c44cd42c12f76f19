namespace Breakwater.Proxy.Settings;

/// <summary>The settings are wrong: every mistake, each with the setting's name and what is allowed.</summary>
internal sealed class SettingsException(IReadOnlyList<string> errors)
    : Exception("The settings are wrong:" + string.Concat(errors.Select(e => Environment.NewLine + "  - " + e)))
{
    public IReadOnlyList<string> Errors { get; } = errors;
}
