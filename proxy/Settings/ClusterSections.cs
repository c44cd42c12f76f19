namespace Breakwater.Proxy.Settings;

/// <summary>How the settings' sections of clusters are read where YARP does not read them.</summary>
internal static class ClusterSections
{
    /// <summary>The clusters of Stratum 1s; one that is set to null is none.</summary>
    public static IEnumerable<IConfigurationSection> Of(IConfiguration configuration) =>
        configuration.GetSection("ReverseProxy:Clusters").GetChildren().Where(cluster => cluster.GetChildren().Any());

    /// <summary>Do the site's own settings name it, not a preset or the client's configuration alone?</summary>
    public static bool IsNamed(IConfigurationSection cluster) => cluster[$"Metadata:{PresetSettings.UnnamedMark}"] is null;

    /// <summary>A cluster's Stratum 1s; one that is set to null is none.</summary>
    public static IEnumerable<IConfigurationSection> Stratum1s(IConfigurationSection cluster) =>
        cluster.GetSection("Destinations").GetChildren().Where(d => d.GetChildren().Any());

    /// <summary>The URL of a cluster's parent proxy, with its password if it has one; null when there is none.</summary>
    public static string? Parent(IConfigurationSection cluster) =>
        cluster["HttpClient:WebProxy:Address"] is { Length: > 0 } parent ? parent : null;
}
