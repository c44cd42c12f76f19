namespace Breakwater.Proxy.Settings;

/// <summary>
/// The settings as far as they can be read. A running server goes on with those that it had when the files become wrong: whoever only asks
/// that server needs no more of them than where its admin port is.
/// </summary>
/// <param name="Configuration">All sources, with what a command put on top.</param>
/// <param name="Settings">All that is right; in the place of what is wrong the default.</param>
/// <param name="Wrong">All mistakes; null: there is none.</param>
/// <param name="IsBroken">Could a file not be read to its end? Then values are missing.</param>
/// <param name="KnowsAdmin">Is it known where the admin port is, or that there is none?</param>
internal sealed record ReadableSettings(
    IConfigurationRoot Configuration, BreakwaterSettings Settings, SettingsException? Wrong, bool IsBroken, bool KnowsAdmin)
{
    /// <summary>Is all right that stands in these sections, as far as is known?</summary>
    public bool AreRight(params IEnumerable<string> sections) =>
        Wrong is null || (!IsBroken && !sections.Any(section => Wrong.Mistakes.Any(mistake => mistake.IsAbout(section))));
}
