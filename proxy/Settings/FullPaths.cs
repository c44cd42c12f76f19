namespace Breakwater.Proxy.Settings;

/// <summary>
/// Paths in settings are full ones: what <c>cache</c> means depends on where one stands, which is one folder for the service and another
/// for whoever runs a command. Pure.
/// </summary>
internal static class FullPaths
{
    private static readonly string[] s_ofClusters =
        ["HttpClient:CaFile", "HttpClient:ClientCertificate", "HttpClient:ClientKey", "HttpClient:WebProxy:CredentialsFile"];

    /// <summary>Adds a line to <paramref name="errors"/> for each path that is none.</summary>
    public static void Check(BreakwaterSettings settings, IConfiguration configuration, List<string> errors)
    {
        (string Name, string? Path)[] all =
        [
            ("Store:Path", settings.Store.Path),
            ("Proxy:TlsCertificate", settings.Proxy.TlsCertificate),
            ("Proxy:TlsKey", settings.Proxy.TlsKey),
            ("Admin:TlsCertificate", settings.Admin.TlsCertificate),
            ("Admin:TlsKey", settings.Admin.TlsKey),
            ("Admin:TokenFile", configuration["Admin:TokenFile"]), // else it is in the store's directory
            ("AccessLog:Path", settings.AccessLog.Path is "-" ? null : settings.AccessLog.Path),
            ("Http:CaFile", settings.Http.CaFile),
            ("Http:ClientCertificate", settings.Http.ClientCertificate),
            ("Http:ClientKey", settings.Http.ClientKey),
            ("Repositories:KeysDirectory", settings.Trust.KeysDirectory),
            ("Repositories:ConfigDirectory", settings.Trust.ConfigDirectory),
            ("ZeroTouch:BootDirectory", settings.ZeroTouch.BootDirectory),
            ("Publish:Path", settings.Publish.Path),
            ("Publish:KeysDirectory", settings.Publish.KeysDirectory),
            ("Cluster:Certificate", settings.Cluster.Certificate),
            ("Cluster:TrustedCertificates", settings.Cluster.TrustedCertificates),
            .. ClusterSections.Of(configuration).SelectMany(cluster =>
                s_ofClusters.Select(name => (ConfigurationPath.Combine(cluster.Path, name), cluster[name]))),
        ];
        errors.AddRange(all.Where(one => !string.IsNullOrEmpty(one.Path) && !Path.IsPathFullyQualified(one.Path))
            .Select(one => $"{one.Name}: '{one.Path}' is not a full path, such as /srv/{one.Path!.TrimStart('.', '~', '/')}."));
    }
}
