namespace Breakwater.Proxy.Settings;

/// <summary>Finds where a setting stands that is in force, or that a mistake is about.</summary>
/// <param name="providers">All sources, the later ones on top.</param>
internal sealed class SettingsPlaces(IReadOnlyList<IConfigurationProvider> providers)
{
    /// <summary>
    /// The mistake with its places. It begins with the name of its setting and a colon, or with several names and <c>and</c> between them.
    /// </summary>
    public SettingsMistake Locate(string mistake)
    {
        foreach (int end in Colons(mistake).Reverse())
        {
            SettingsPlace[] places =
                [.. mistake[..end].Split(" and ").Select(name => Find(name, mistake)).OfType<SettingsPlace>().Distinct()];
            if (places.Length > 0)
            {
                return new SettingsMistake(mistake, places);
            }
        }

        return new SettingsMistake(mistake);
    }

    /// <summary>Where a value in force stands; null: nowhere, it is a default.</summary>
    public SettingsPlace? Of(string key) =>
        providers.Reverse().Where(provider => !IsNull(provider, key)).Select(provider => In(provider, key))
        .FirstOrDefault(place => place is not null);

    private static bool IsNull(IConfigurationProvider provider, string key) =>
        provider.TryGet(key, out string? value) && value is null && !provider.GetChildKeys([], key).Any();

    /// <summary>Of a list, the element that the mistake quotes is the place.</summary>
    private SettingsPlace? Find(string key, string mistake)
    {
        foreach (IConfigurationProvider provider in providers.Reverse())
        {
            if (In(provider, key) is { } place)
            {
                string? element = provider.GetChildKeys([], key).Distinct(StringComparer.OrdinalIgnoreCase)
                    .Select(child => ConfigurationPath.Combine(key, child))
                    .FirstOrDefault(child => provider.TryGet(child, out string? value)
                    && mistake.Contains($"'{value}'", StringComparison.Ordinal));
                return element is null ? place : In(provider, element) ?? place;
            }
        }

        return null;
    }

    private static SettingsPlace? In(IConfigurationProvider provider, string key) => provider switch
    {
        IPlacedSource placed => placed.PlaceOf(key),
        _ when provider.TryGet(key, out _) || provider.GetChildKeys([], key).Any() =>
            new SettingsPlace("environment variable " + key.Replace(ConfigurationPath.KeyDelimiter, "__", StringComparison.Ordinal)),
        _ => null,
    };

    private static IEnumerable<int> Colons(string text) => Enumerable.Range(0, text.Length).Where(i => text[i] == ':');
}
