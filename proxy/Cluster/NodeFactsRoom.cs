using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Holdings;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Snapshots;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Cluster;

/// <summary>What all nodes should agree on, as this one has it, on its admin port.</summary>
internal sealed class NodeFactsRoom(NodeSelf self, ClusterOptions options, NodeCertificates certificates, FasterObjectStore store,
    SeedRegistry seeds, Declarations declarations, TimeProvider time) : IAdminRoom
{
    /// <inheritdoc/>
    public void Map(AdminApi admin) =>
        admin.Read("cluster/facts", "What all nodes should agree on, as this one has it.", Facts);

    private NodeFacts Facts() => new(
        self.Id, Telemetry.Version, time.GetUtcNow(), options.Site,
        [.. options.Nodes.Select(node => node.TrimEnd('/').ToLowerInvariant()).Order(StringComparer.Ordinal)],
        certificates.Own.NotAfter.ToUniversalTime(),
        [.. ClusterCheck.LoadAuthorities(options.TrustedCertificates!).Select(Fingerprint).Order(StringComparer.Ordinal)],
        declarations.Digest,
        [.. declarations.All.Where(one => one.State == DeclaredState.Failed).Select(one => $"{one.Setting}: {one.Text}")],
        [.. store.Pins.Names.Where(name => !IsLearned(name)).Order(StringComparer.Ordinal)],
        [.. seeds.List().Select(seed => $"{seed.Name} {seed.IndexSha256[..Math.Min(12, seed.IndexSha256.Length)]}".TrimEnd())]);

    /// <summary>Sets that each node learns from its own clients, and those that seeds bring and are compared as such.</summary>
    private static bool IsLearned(string pin)
    {
        var name = new PinName(pin);
        return name.TryGetSeed(out _)
            || (name.TryGetRepository(out Fqrn fqrn) && pin.StartsWith(PinName.StandingPrefix(fqrn), StringComparison.Ordinal));
    }

    private static string Fingerprint(X509Certificate2 certificate) =>
        certificate.GetCertHashString(HashAlgorithmName.SHA256)[..16].ToLowerInvariant();
}
