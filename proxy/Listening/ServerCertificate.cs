using System.Net.Security;
using System.Security.Authentication;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Listening;

/// <summary>
/// The certificate that a port shows, read again when its files change: connections from then on see the new one. Files that are wrong
/// leave the old one in force. Thread-safe.
/// </summary>
internal sealed partial class ServerCertificate : IDisposable
{
    private readonly (string Setting, string Path) _certificate;
    private readonly (string Setting, string? Path) _key;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly SettingsWatch _watch;
    private volatile SslStreamCertificateContext _context;

    /// <summary>Reads it, and watches its files.</summary>
    /// <exception cref="SettingsException">It is wrong.</exception>
    public ServerCertificate(string section, string certificate, string? key, TimeProvider time, ILogger log)
    {
        _certificate = ($"{section}:TlsCertificate", certificate);
        _key = ($"{section}:TlsKey", key);
        _time = time;
        _log = log;
        List<string> errors = [];
        _context = Read(errors) ?? throw new SettingsException(errors);
        _watch = new SettingsWatch(() => string.IsNullOrEmpty(key) ? [certificate] : [certificate, key], ReadAgain, time);
    }

    /// <summary>Why the files as they are now are not in force; null: they are.</summary>
    public string? Refusal { get; private set; }

    /// <summary>The setting that names it.</summary>
    public string Setting => _certificate.Setting;

    /// <summary>When the one in force ends, UTC.</summary>
    public DateTime Ends => _context.TargetCertificate.NotAfter.ToUniversalTime();

    /// <summary>What a new connection is shown: HTTP/1.1 over TLS 1.2 or 1.3.</summary>
    public SslServerAuthenticationOptions Options() => new()
    {
        ServerCertificateContext = _context,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ApplicationProtocols = [SslApplicationProtocol.Http11],
    };

    /// <summary>Reads the files now.</summary>
    public void ReadAgain()
    {
        List<string> errors = [];
        if (Read(errors) is { } context)
        {
            bool isNew = context.TargetCertificate.Thumbprint != _context.TargetCertificate.Thumbprint;
            _context = context;
            Refusal = null;
            if (isNew)
            {
                LogRenewed(_log, _certificate.Path, Ends);
            }
        }
        else
        {
            Refusal = string.Join(" ", errors);
            LogRefused(_log, Refusal);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _watch.Dispose();

    private SslStreamCertificateContext? Read(List<string> errors) =>
        TlsFiles.Read(_certificate, _key, _time.GetUtcNow().UtcDateTime, errors);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "The certificate in {Path}, valid until {Ends:u}, is in force for new connections")]
    private static partial void LogRenewed(ILogger log, string path, DateTime ends);

    [LoggerMessage(Level = LogLevel.Error, Message = "The changed certificate is refused, the old one stays in force. {Mistakes}")]
    private static partial void LogRefused(ILogger log, string mistakes);
}
