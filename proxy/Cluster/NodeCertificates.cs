using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Cluster;

/// <summary>
/// This node's certificate and the authorities of the others. The files are read again when they have changed, so that a renewal needs no
/// restart; while they cannot be used, what was read before stays in force. Thread-safe.
/// </summary>
internal sealed partial class NodeCertificates(ClusterOptions options, TimeProvider time, ILogger<NodeCertificates> log)
{
    /// <summary>So often at most the files are looked at, when a connection is made.</summary>
    private static readonly TimeSpan s_lookAgainAfter = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private Loaded? _loaded;        // guarded by _gate
    private long _lookedAt;         // guarded by _gate

    /// <summary>This node's certificate with its key.</summary>
    public X509Certificate2 Own => Current().Own;

    /// <summary>The same, as a server shows it.</summary>
    public SslStreamCertificateContext OwnForServer => Current().ForServer;

    /// <summary>May the other side be a node? Else why not.</summary>
    public string? ProblemOf(X509Certificate? certificate, X509Chain? chain)
    {
        if (certificate is null)
        {
            return "no certificate";
        }

        X509Certificate2 own = certificate as X509Certificate2 ?? X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return ClusterCheck.ProblemOf(own, Current().Authorities, chain?.ChainPolicy.ExtraStore);
    }

    private static (DateTime, DateTime) TimesOf(ClusterOptions options) =>
        (File.GetLastWriteTimeUtc(options.Certificate!), File.GetLastWriteTimeUtc(options.TrustedCertificates!));

    private Loaded Current()
    {
        lock (_gate)
        {
            if (_loaded is { } loaded && time.GetElapsedTime(_lookedAt) < s_lookAgainAfter)
            {
                return loaded;
            }

            _lookedAt = time.GetTimestamp();
            (DateTime, DateTime) times = TimesOf(options);
            if (_loaded is null || times != _loaded.Times)
            {
                try
                {
                    _loaded = new Loaded(ClusterCheck.LoadCertificate(options.Certificate!),
                        ClusterCheck.LoadAuthorities(options.TrustedCertificates!), times);
                }
                catch (Exception e) when (_loaded is not null
                    && e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
                {
                    _loaded = _loaded! with { Times = times };
                    LogUnusable(log, e.Message);
                }
            }

            return _loaded;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The changed certificates of the node port cannot be used, the old ones stay: {Why}")]
    private static partial void LogUnusable(ILogger log, string why);

    private sealed record Loaded(X509Certificate2 Own, X509Certificate2Collection Authorities, (DateTime, DateTime) Times)
    {
        public SslStreamCertificateContext ForServer { get; } = SslStreamCertificateContext.Create(Own, null, offline: true);
    }
}
