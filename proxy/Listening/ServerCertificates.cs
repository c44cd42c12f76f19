using Breakwater.Proxy.Settings;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Breakwater.Proxy.Listening;

/// <summary>The certificates of the ports that speak TLS. Thread-safe.</summary>
internal sealed class ServerCertificates(BreakwaterSettings settings, TimeProvider time, ILogger<ServerCertificate> log) : IDisposable
{
    /// <summary>Of <c>Proxy:TlsListen</c>; null: there is none.</summary>
    public ServerCertificate? Proxy { get; } = settings.Proxy is { TlsListen.Length: > 0, TlsCertificate: { Length: > 0 } file }
        ? new ServerCertificate("Proxy", file, settings.Proxy.TlsKey, time, log)
        : null;

    /// <summary>Of the admin port; null: it speaks plain HTTP.</summary>
    public ServerCertificate? Admin { get; } = settings.Admin is { Listen.Length: > 0, TlsCertificate: { Length: > 0 } file }
        ? new ServerCertificate("Admin", file, settings.Admin.TlsKey, time, log)
        : null;

    /// <summary>Those that there are.</summary>
    public IEnumerable<ServerCertificate> All => ((ServerCertificate?[])[Proxy, Admin]).OfType<ServerCertificate>();

    /// <summary>Has Kestrel speak TLS with it, whatever is in force when a client comes.</summary>
    /// <param name="certificate">The port's.</param>
    /// <param name="patience">A handshake must have ended.</param>
    public static TlsHandshakeCallbackOptions Shown(ServerCertificate certificate, TimeSpan patience) => new()
    {
        HandshakeTimeout = patience,
        OnConnection = _ => ValueTask.FromResult(certificate.Options()),
    };

    /// <summary>Reads all files now.</summary>
    public void ReadAgain()
    {
        foreach (ServerCertificate certificate in All)
        {
            certificate.ReadAgain();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ServerCertificate certificate in All)
        {
            certificate.Dispose();
        }
    }
}
