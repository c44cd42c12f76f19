using System.Net;
using System.Security.Cryptography.X509Certificates;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Holdings;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Cluster;

/// <summary>
/// The other nodes' admin APIs on this one's admin port, below <c>cluster/at/NODE/</c>, for commands with <c>--all-nodes</c>; and what
/// nodes should agree on.
/// </summary>
internal sealed class NodesRoom(YarpNodes nodes, NodeSelf self, ISiteNodes site, ClusterOptions options, NodeCertificates certificates,
    FasterObjectStore store, SeedRegistry seeds, Declarations declarations, TimeProvider time) : IAdminRoom
{
    private const string At = "cluster/at/{node}/{**path}";

    /// <inheritdoc/>
    public void Map(AdminApi admin)
    {
        admin.Read("cluster/facts", "What all nodes should agree on, as this one has it.", Facts);
        admin.Read(At, "Reads from another node's admin API.", ForwardAsync);
        admin.Upload(At, "Acts on another node by its admin API.", ForwardAsync);
        admin.Remove(At, "Removes on another node by its admin API.", ForwardAsync);
    }

    private NodeFacts Facts() => new(
        self.Id, Telemetry.Version, time.GetUtcNow(), options.Site,
        [.. options.Nodes.Select(node => node.TrimEnd('/').ToLowerInvariant()).Order(StringComparer.Ordinal)],
        certificates.Own.NotAfter.ToUniversalTime(),
        [.. ClusterCheck.LoadAuthorities(options.TrustedCertificates!).Select(Fingerprint).Order(StringComparer.Ordinal)],
        declarations.Digest,
        [.. declarations.All.Where(one => one.State == DeclaredState.Failed).Select(one => $"{one.Setting}: {one.Text}")],
        [.. store.Pins.Names.Where(name => !IsLearned(name)).Order(StringComparer.Ordinal)],
        [.. seeds.List().Select(seed => $"{seed.Name} {seed.IndexSha256[..Math.Min(12, seed.IndexSha256.Length)]}".TrimEnd())]);

    private async Task ForwardAsync(string node, string path, HttpContext context)
    {
        string pathAndQuery = string.Join('/', path.Split('/').Select(Uri.EscapeDataString)) + context.Request.QueryString;
        KnownNode? known = nodes.View.Known.FirstOrDefault(one => !one.IsSelf && (one.Announcement?.Id == node || one.Address == node));
        if (known is null || !NodeAdmin.IsAllowed(context.Request.Method, pathAndQuery))
        {
            await Refuse(context, StatusCodes.Status404NotFound, known is null
                ? $"There is no other node '{node}' in Cluster:Nodes."
                : "Nodes do not do this for each other.");
            return;
        }

        var method = new HttpMethod(context.Request.Method);
        using var request = new HttpRequestMessage(method, known.Server.UrlOf(NodeAdmin.Prefix + pathAndQuery));
        request.Version = HttpVersion.Version11;
        NodeAdmin.CopyBody(context.Request, request);
        site.Sign(request);
        try
        {
            using HttpResponseMessage response = await known.Server.Client.SendAsync(request, context.RequestAborted);
            await NodeAdmin.CopyAsync(response, context);
        }
        catch (Exception e) when (e is HttpRequestException or IOException && !context.Response.HasStarted)
        {
            await Refuse(context, StatusCodes.Status502BadGateway, $"The node {node} does not answer: {ConnectFailures.Sentence(e)}");
        }
    }

    /// <summary>Sets that each node learns from its own clients, and those that seeds bring and are compared as such.</summary>
    private static bool IsLearned(string pin)
    {
        var name = new PinName(pin);
        return name.TryGetSeed(out _)
            || (name.TryGetRepository(out string? fqrn) && pin.StartsWith(PinName.StandingPrefix(fqrn), StringComparison.Ordinal));
    }

    private static string Fingerprint(X509Certificate2 certificate) =>
        certificate.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256)[..16].ToLowerInvariant();

    private static Task Refuse(HttpContext context, int status, string why) => new AdminProblem(why).Result(status).ExecuteAsync(context);
}
