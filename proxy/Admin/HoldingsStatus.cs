using Breakwater.CacheStore.Quotas;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Holdings;
using Breakwater.Proxy.Seeding;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Admin;

/// <summary>Of the status: what this machine holds, and what proves it.</summary>
internal sealed class HoldingsStatus(SeedStart seeds, Declarations declarations, SignedDocuments documents, StoreShares shares)
    : IStatusPart
{
    /// <inheritdoc/>
    public ServerStatus AddTo(ServerStatus status) => status with
    {
        Bootable = [.. seeds.Statements()],
        Unverified =
        [
            .. documents.Repositories.Where(r => r.Pair is { IsVerified: false }).Select(r => r.Repository.Fqrn.ToString())
                .Order(StringComparer.Ordinal),
        ],
        Declared = declarations.All,
        Shares = shares.List(),
    };
}
