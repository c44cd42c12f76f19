using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Breakwater.Proxy.Settings;

/// <summary>How https to others is spoken: who vouches for them, and what they are shown.</summary>
/// <param name="Authorities">In place of the system's; null: those.</param>
/// <param name="Client">The certificate with its key that a server gets that asks for one; null: none.</param>
internal sealed record UpstreamTls(X509Certificate2Collection? Authorities, SslStreamCertificateContext? Client)
{
    /// <summary>The system's authorities, no certificate.</summary>
    public static UpstreamTls Plain { get; } = new(null, null);

    /// <summary>The settings below a section: <c>CaFile</c>, <c>ClientCertificate</c>, <c>ClientKey</c>.</summary>
    /// <param name="section">The section.</param>
    /// <param name="now">A client's certificate that is not valid now is a mistake.</param>
    /// <param name="errors">Gets a line for each mistake.</param>
    public static UpstreamTls Read(IConfigurationSection section, DateTime now, List<string> errors)
    {
        string? key = section["ClientKey"];
        string? certificate = section["ClientCertificate"];
        if (string.IsNullOrEmpty(certificate) && !string.IsNullOrEmpty(key))
        {
            errors.Add($"{section.Path}:ClientCertificate: the certificate of ClientKey belongs here.");
        }

        return new UpstreamTls(
            section["CaFile"] is { Length: > 0 } file ? TlsFiles.ReadAuthorities($"{section.Path}:CaFile", file, errors) : null,
            string.IsNullOrEmpty(certificate)
                ? null
                : TlsFiles.Read(($"{section.Path}:ClientCertificate", certificate), ($"{section.Path}:ClientKey", key), now, errors));
    }

    /// <summary>The sections that may name files.</summary>
    public static IEnumerable<IConfigurationSection> Sections(IConfiguration configuration) =>
        ClusterSections.Of(configuration).Select(cluster => cluster.GetSection("HttpClient")).Append(configuration.GetSection("Http"));

    /// <summary>The files that it is read from.</summary>
    public static IEnumerable<string> FilesOf(IConfigurationSection section) =>
        ((string?[])[section["CaFile"], section["ClientCertificate"], section["ClientKey"]]).OfType<string>()
        .Where(file => file.Length > 0);

    /// <summary>Is a server what it says it is?</summary>
    /// <param name="shown">Its certificate; null: it has none.</param>
    /// <param name="chain">What the system made of it.</param>
    /// <param name="problems">What the system has against it.</param>
    public bool IsTrusted(X509Certificate? shown, X509Chain? chain, SslPolicyErrors problems)
    {
        const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
        if (Authorities is null)
        {
            return problems == SslPolicyErrors.None;
        }

        if ((problems & ~SslPolicyErrors.RemoteCertificateChainErrors) != SslPolicyErrors.None || shown is not X509Certificate2 certificate)
        {
            return false;
        }

        using var own = new X509Chain();
        X509ChainPolicy policy = own.ChainPolicy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(Authorities);
        policy.RevocationMode = X509RevocationMode.NoCheck; // as with the system's
        policy.DisableCertificateDownloads = true;
        policy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid(ServerAuthentication));
        policy.ExtraStore.AddRange(chain?.ChainPolicy.ExtraStore ?? []);
        return own.Build(certificate);
    }
}
