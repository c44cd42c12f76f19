using Microsoft.Extensions.Configuration.Json;

namespace Breakwater.Proxy.Settings;

/// <summary>
/// The shipped <c>appsettings.json</c>, below the site's settings. The Stratum 1s that a site gives a shipped cluster are that cluster's
/// Stratum 1s, in place of the shipped ones: merged by name, a site's own would be one more behind servers that it cannot even reach. A
/// destination that a site sets to null is taken out alone.
/// </summary>
internal sealed class ShippedSettings(ShippedSettings.FileSource source) : JsonConfigurationProvider(source)
{
    private const string Clusters = "ReverseProxy:Clusters:";
    private const string Destinations = "Destinations";

    /// <summary>The site's settings, on top; set once, before anything is read.</summary>
    public IReadOnlyList<IConfigurationProvider> Above { get; set; } = [];

    /// <inheritdoc/>
    public override bool TryGet(string key, out string? value)
    {
        value = null;
        return !IsReplaced(key) && base.TryGet(key, out value);
    }

    /// <inheritdoc/>
    public override IEnumerable<string> GetChildKeys(IEnumerable<string> earlierKeys, string? parentPath)
    {
        IReadOnlyList<string> earlier = [.. earlierKeys];
        IEnumerable<string> own = base.GetChildKeys([], parentPath)
            .Where(name => parentPath is null || !IsReplaced(ConfigurationPath.Combine(parentPath, name)));
        return own.Concat(earlier).Order(Comparer<string>.Create(ConfigurationKeyComparer.Instance.Compare)).ToList();
    }

    private bool IsReplaced(string key)
    {
        if (Above.Count == 0 || !key.StartsWith(Clusters, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        string[] names = key.Split(ConfigurationPath.KeyDelimiter);
        if (names.Length < 5 || !names[3].Equals(Destinations, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        string all = string.Join(ConfigurationPath.KeyDelimiter, names.AsSpan(0, 4));
        string one = ConfigurationPath.Combine(all, names[4]);
        return Above.Any(site => IsTakenOut(site, one)
            || site.GetChildKeys([], all)
            .Any(name => site.TryGet(ConfigurationPath.Combine(all, name, "Address"), out string? address) && address is not null));
    }

    private static bool IsTakenOut(IConfigurationProvider site, string destination) =>
        site.TryGet(destination, out string? value) && string.IsNullOrEmpty(value) && !site.GetChildKeys([], destination).Any();

    /// <summary>Where they are.</summary>
    internal sealed class FileSource : JsonConfigurationSource
    {
        /// <inheritdoc/>
        public override IConfigurationProvider Build(IConfigurationBuilder builder)
        {
            EnsureDefaults(builder);
            return new ShippedSettings(this);
        }
    }
}
