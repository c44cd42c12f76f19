using System.Globalization;
using Breakwater.Proxy.Listening;

namespace Breakwater.Proxy.Observability;

/// <summary>Certificates of our ports that end soon, or whose renewed files are wrong: both are seen before clients see them.</summary>
internal sealed class CertificateHealth(ServerCertificates certificates, TimeProvider time) : IHealthSource
{
    /// <summary>Renewal by ACME comes 30 days before the end, or at two thirds of a short life.</summary>
    private static readonly TimeSpan s_soon = TimeSpan.FromDays(2);

    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Find()
    {
        foreach (ServerCertificate certificate in certificates.All)
        {
            if (certificate.Refusal is { } refusal)
            {
                yield return new HealthFinding(
                    "tls-certificate-refused",
                    HealthLevel.Degraded,
                    $"The changed certificate is refused, the old one stays in force until {Text(certificate.Ends)}, and the next start "
                    + $"would fail. {refusal}");
            }

            if (certificate.Ends - time.GetUtcNow().UtcDateTime is var left && left < s_soon)
            {
                yield return new HealthFinding(
                    "tls-certificate-ends",
                    HealthLevel.Degraded,
                    $"{certificate.Setting}: the certificate in force {(left < TimeSpan.Zero ? "ended" : "ends")} at "
                    + $"{Text(certificate.Ends)}. Renew its files; they are read again by themselves.");
            }
        }
    }

    private static string Text(DateTime moment) => moment.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC";
}
