using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Breakwater.Proxy.Settings;

/// <summary>The mistakes in section <c>Cluster</c>. Without nodes nothing of it counts.</summary>
internal static class ClusterCheck
{
    /// <summary>Scheme of a name whose addresses are the nodes.</summary>
    public const string DnsScheme = "dns";

    /// <summary>The cluster's id among YARP's.</summary>
    public const string ReservedCluster = "nodes";

    /// <summary>Adds a line to <paramref name="errors"/> for each mistake.</summary>
    public static void Check(ClusterOptions cluster, IConfiguration configuration, List<string> errors)
    {
        if (!cluster.IsOn)
        {
            return;
        }

        errors.AddRange(cluster.Nodes.Where(node => !IsNode(node)).Select(node =>
            $"Cluster:Nodes: '{node}' is not a node's port such as https://squid1.example.org:3129, nor a name of all such as "
            + "dns://breakwater-nodes:3129."));
        errors.AddRange(cluster.Nodes.GroupBy(node => node.TrimEnd('/'), StringComparer.OrdinalIgnoreCase).Where(same => same.Count() > 1)
            .Select(same => $"Cluster:Nodes: {same.Key} is there {same.Count()} times."));
        CheckWord(errors, "Cluster:Name", cluster.Id);
        CheckWord(errors, "Cluster:Site", cluster.Site);
        if (!double.IsFinite(cluster.Weight) || cluster.Weight is < 0.01 or > 10_000)
        {
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"Cluster:Weight: {cluster.Weight} is outside 0.01 to 10000."));
        }

        if (ClusterSections.Of(configuration).Any(c => c.Key.Equals(ReservedCluster, StringComparison.OrdinalIgnoreCase)))
        {
            errors.Add($"ReverseProxy:Clusters:{ReservedCluster}: the nodes of Cluster:Nodes have this name; choose another for the "
                + "Stratum 1s.");
        }

        CheckCertificate(cluster, errors);
    }

    /// <summary>Reads a node's certificate with its key.</summary>
    /// <exception cref="Exception">An <see cref="IOException"/> or <see cref="CryptographicException"/>, or no right to read.</exception>
    public static X509Certificate2 LoadCertificate(string path)
    {
        string pem = File.ReadAllText(path);
        using X509Certificate2 ephemeral = X509Certificate2.CreateFromPem(pem, pem);

        // TLS of the runtime wants a key that is in a store of its own on some systems; on Linux this is a copy in memory.
        return X509CertificateLoader.LoadPkcs12(ephemeral.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>Reads the authorities.</summary>
    /// <exception cref="Exception">An <see cref="IOException"/> or <see cref="CryptographicException"/>, or no right to read.</exception>
    public static X509Certificate2Collection LoadAuthorities(string path)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPem(File.ReadAllText(path));
        return authorities;
    }

    /// <summary>Did one of the authorities make it, and is it in force now? Null: yes. Else why not.</summary>
    public static string? ProblemOf(X509Certificate2 certificate, X509Certificate2Collection authorities,
        X509Certificate2Collection? intermediates = null)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.ExtraStore.AddRange(intermediates ?? []);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain.Build(certificate) ? null
            : string.Join(", ", chain.ChainStatus.Select(s => s.StatusInformation.Trim().TrimEnd('.')).Distinct(StringComparer.Ordinal));
    }

    /// <summary>The ids that a certificate gives its node: its common name and its DNS names.</summary>
    public static IReadOnlyList<string> NamesOf(X509Certificate2 certificate) =>
    [
        certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false),
        .. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(names => names.EnumerateDnsNames()),
    ];

    /// <summary>May a node or a site be called so?</summary>
    public static bool IsWord(string? word) =>
        word is { Length: > 0 and <= 64 } && word.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_');

    private static void CheckCertificate(ClusterOptions cluster, List<string> errors)
    {
        if (string.IsNullOrEmpty(cluster.Certificate) || string.IsNullOrEmpty(cluster.TrustedCertificates))
        {
            errors.Add("Cluster:Certificate and Cluster:TrustedCertificates: with Cluster:Nodes both are needed, since nodes know each "
                + "other by their certificates; 'breakwater cluster certificates' makes them.");
            return;
        }

        X509Certificate2? certificate = Try(() => LoadCertificate(cluster.Certificate), "Cluster:Certificate", cluster.Certificate, errors);
        X509Certificate2Collection? authorities =
            Try(() => LoadAuthorities(cluster.TrustedCertificates), "Cluster:TrustedCertificates", cluster.TrustedCertificates, errors);
        if (authorities?.Count == 0)
        {
            errors.Add($"Cluster:TrustedCertificates: there is no certificate in '{cluster.TrustedCertificates}'.");
        }

        using (certificate)
        {
            if (certificate is null || authorities is null or [])
            {
                return;
            }

            if (!NamesOf(certificate).Contains(cluster.Id, StringComparer.OrdinalIgnoreCase))
            {
                errors.Add($"Cluster:Certificate: '{cluster.Certificate}' is {string.Join(", ", NamesOf(certificate).Distinct())}'s, and "
                    + $"this node is '{cluster.Id}' (Cluster:Name).");
            }

            if (ProblemOf(certificate, authorities) is { } problem)
            {
                errors.Add($"Cluster:Certificate: '{cluster.Certificate}' would be refused by other nodes: {problem}.");
            }
        }
    }

    private static T? Try<T>(Func<T> load, string setting, string path, List<string> errors)
        where T : class
    {
        try
        {
            return load();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            errors.Add($"{setting}: '{path}' cannot be used: {e.Message.TrimEnd('.')}.");
            return null;
        }
    }

    private static void CheckWord(List<string> errors, string name, string word)
    {
        if (!IsWord(word))
        {
            errors.Add($"{name}: '{word}' must be 1 to 64 letters, digits, '-', '.' or '_'.");
        }
    }

    private static bool IsNode(string node) =>
        Uri.TryCreate(node, UriKind.Absolute, out Uri? uri) && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == DnsScheme)
        && uri.Port > 0 && uri.UserInfo.Length == 0 && uri.PathAndQuery is "" or "/" && uri.Fragment.Length == 0 && uri.Host.Length > 0;
}
