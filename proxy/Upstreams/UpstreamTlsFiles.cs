using System.Net.Security;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// Authorities and certificates for https to others: of each cluster (<c>HttpClient:CaFile</c>, …), and of the origins of ordinary HTTP
/// (<c>Http:CaFile</c>, …). Read again with the settings and when a file changes; connections from then on see the new ones, and files
/// that are wrong leave the old ones in force. Thread-safe; the table is replaced whole.
/// </summary>
internal sealed class UpstreamTlsFiles : IHealthSource, IDisposable
{
    private const string Ordinary = "Http";

    private readonly IConfiguration _configuration;
    private readonly TimeProvider _time;
    private readonly SettingsWatch _watch;
    private volatile Dictionary<string, UpstreamTls> _bySection = [];
    private volatile string? _refusal;

    /// <summary>Reads the settings and the files.</summary>
    public UpstreamTlsFiles(IConfiguration configuration, TimeProvider time)
    {
        _configuration = configuration;
        _time = time;
        ReadAgain();
        _watch = new SettingsWatch(() => [.. UpstreamTls.Sections(configuration).SelectMany(UpstreamTls.FilesOf)], ReadAgain, time);
    }

    /// <summary>Has a handler speak https as a cluster's settings say; null: as those of ordinary HTTP say.</summary>
    public void Apply(string? cluster, SslClientAuthenticationOptions ssl)
    {
        string section = cluster is null ? Ordinary : $"ReverseProxy:Clusters:{cluster}:HttpClient";
        ssl.AllowTlsResume = false; // a session that goes on shows no certificate, or that of before
        ssl.RemoteCertificateValidationCallback = (_, shown, chain, problems) => Of(section).IsTrusted(shown, chain, problems);
        ssl.LocalCertificateSelectionCallback = (_, _, _, _, _) => Of(section).Client?.TargetCertificate!;
    }

    /// <summary>Reads settings and files now.</summary>
    public void ReadAgain()
    {
        List<string> errors = [];
        DateTime now = _time.GetUtcNow().UtcDateTime;
        var read = UpstreamTls.Sections(_configuration).Where(section => UpstreamTls.FilesOf(section).Any())
            .ToDictionary(section => section.Path, section => UpstreamTls.Read(section, now, errors), StringComparer.OrdinalIgnoreCase);
        _refusal = errors.Count == 0 ? null : string.Join(" ", errors);
        if (errors.Count == 0)
        {
            _bySection = read;
        }
    }

    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Find()
    {
        if (_refusal is { } refusal)
        {
            yield return new HealthFinding(
                "upstream-tls-refused", HealthLevel.Degraded,
                $"Changed files for https to others are refused, the old ones stay in force, and the next start would fail. {refusal}");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _watch.Dispose();

    private UpstreamTls Of(string section) => _bySection.GetValueOrDefault(section, UpstreamTls.Plain);
}
