namespace Breakwater.Proxy.Settings;

/// <summary>
/// The lowest source: the clusters and patterns of the presets that the site has chosen, and on top of them those of the site's client
/// configuration. A cluster to which the site gives Stratum 1s, and a pattern that it names, are the site's whole; one that it sets to null
/// is taken out, and with a cluster the patterns that lead to it.
/// </summary>
/// <param name="site">The site's own settings: files and environment.</param>
internal sealed class PresetSettings(IConfigurationRoot site) : ConfigurationProvider, IPlacedSource
{
    /// <summary>Name among a cluster's metadata which says that the site's own settings do not name the cluster.</summary>
    public const string UnnamedMark = "Preset";

    private const string Clusters = "ReverseProxy:Clusters";
    private const string Repositories = "Repositories";

    private Dictionary<string, string> _places = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The client's directory by the site's settings; null: none is read.</summary>
    public string? ClientDirectory =>
        (site["Repositories:ConfigDirectory"] ?? TrustOptions.DefaultConfigDirectory) is { Length: > 0 } directory ? directory : null;

    /// <inheritdoc/>
    public SettingsPlace? PlaceOf(string key)
    {
        // Sections have the place of what is in them.
        string? place = _places.GetValueOrDefault(key)
            ?? _places.Where(one => one.Key.StartsWith(key + ConfigurationPath.KeyDelimiter, StringComparison.OrdinalIgnoreCase))
            .Select(one => one.Value).FirstOrDefault();
        return place is null ? null : new SettingsPlace(place);
    }

    /// <inheritdoc/>
    public override void Load()
    {
        Data = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        _places = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (string preset in Chosen())
        {
            foreach ((string key, string? value) in PresetFiles.Find(preset) ?? new Dictionary<string, string?>())
            {
                Put(key, value, $"preset {preset}");
            }
        }

        foreach (ClientDomain domain in ClientDirectory is { } directory ? ClientConfiguration.Read(directory) : [])
        {
            Put(domain);
        }

        TakeOut();
    }

    private string[] Chosen() => site.GetSection("Presets") is var presets && presets.GetChildren().Any()
        ? [.. presets.GetChildren().Select(child => child.Value).OfType<string>()]
        : presets.Value is "" ? [] : PresetFiles.ByDefault;

    private void Put(string key, string? value, string place)
    {
        Data[key] = value;
        _places[key] = place;
    }

    /// <summary>A domain that a preset has keeps the name of its cluster; its Stratum 1s are the client's.</summary>
    private void Put(ClientDomain domain)
    {
        string patternKey = ConfigurationPath.Combine(Repositories, domain.Pattern, "Cluster");
        string cluster = Data.TryGetValue(patternKey, out string? known) && known is not null ? known : domain.Pattern.TrimStart('*', '.');
        string destinations = ConfigurationPath.Combine(Clusters, cluster, "Destinations");
        Remove(destinations);
        Put(patternKey, cluster, domain.File);
        for (int i = 0; i < domain.Stratum1s.Count; i++)
        {
            string name = FormattableString.Invariant($"{i + 1:00}-{new Uri(domain.Stratum1s[i]).Host}");
            Put(ConfigurationPath.Combine(destinations, name, "Address"), domain.Stratum1s[i], domain.File);
        }
    }

    private void TakeOut()
    {
        string[] gone = [.. Names(Clusters).Where(cluster => IsNull(ConfigurationPath.Combine(Clusters, cluster)))];
        foreach (string cluster in Names(Clusters))
        {
            string destinations = ConfigurationPath.Combine(Clusters, cluster, "Destinations");
            IConfigurationSection[] own = [.. site.GetSection(destinations).GetChildren()];
            if (gone.Contains(cluster, StringComparer.OrdinalIgnoreCase) || own.Any(one => one["Address"] is not null))
            {
                Remove(ConfigurationPath.Combine(Clusters, cluster));
            }

            foreach (IConfigurationSection one in own.Where(one => IsNull(one.Path)))
            {
                Remove(one.Path);
            }
        }

        foreach (string cluster
            in Names(Clusters).Where(cluster => !site.GetSection(ConfigurationPath.Combine(Clusters, cluster)).GetChildren().Any()))
        {
            Put(ConfigurationPath.Combine(Clusters, cluster, "Metadata", UnnamedMark), "true", "preset");
        }

        foreach (string pattern in Names(Repositories))
        {
            string key = ConfigurationPath.Combine(Repositories, pattern);
            if (IsNull(key) || gone.Contains(Data[ConfigurationPath.Combine(key, "Cluster")], StringComparer.OrdinalIgnoreCase))
            {
                Remove(key);
            }
        }
    }

    private string[] Names(string section) => [.. GetChildKeys([], section).Distinct(StringComparer.OrdinalIgnoreCase)];

    /// <summary>Does the site name it with nothing in it: null, or an empty object?</summary>
    private bool IsNull(string key) => site.GetSection(key) is { Value: null or "" } section && !section.GetChildren().Any()
        && site.Providers.Any(provider => provider.TryGet(key, out _));

    private void Remove(string section)
    {
        foreach (string key
            in Data.Keys.Where(key => key.StartsWith(section + ConfigurationPath.KeyDelimiter, StringComparison.OrdinalIgnoreCase))
            .ToArray())
        {
            Data.Remove(key);
            _places.Remove(key);
        }
    }
}
