using Breakwater.Proxy.Observability;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Documents;

/// <summary>
/// What operators should know of the repositories' signatures: refused documents, and whitelists that are about to expire.
/// </summary>
internal sealed class RepositoryHealth(SignedDocuments documents, TimeProvider time) : IHealthSource
{
    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Find()
    {
        DateTimeOffset now = time.GetUtcNow();
        foreach (RepositoryStatus status in documents.Repositories)
        {
            Fqrn fqrn = status.Repository.Fqrn;
            if (status.LastRefusal is { } refusal)
            {
                yield return new HealthFinding(
                    "repository-refused",
                    HealthLevel.Degraded,
                    $"{fqrn}: a Stratum 1's manifest or whitelist is refused ({refusal.Reason}): {refusal.Explanation} "
                    + (status.Pair is null ? "Clients get none until one is good." : "The last good pair goes on being served."));
            }

            if (status.Pair is { IsVerified: true } pair && pair.Verdict.WhitelistExpiresSoon(now))
            {
                yield return new HealthFinding(
                    "whitelist-expires",
                    HealthLevel.Degraded,
                    $"{fqrn}: the whitelist expires at {pair.Verdict.Whitelist!.ExpiresAt:u}; clients refuse the repository then. Its "
                    + $"publisher must sign a new one.");
            }
        }
    }
}
