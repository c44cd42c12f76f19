using System.Globalization;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Cluster;

/// <summary>
/// Manifests and whitelists for other nodes: the newest verified pair. A repository's owner has it checked by a Stratum 1 first; any other
/// node gives what it has, so no node waits for a node that waits for a node.
/// </summary>
internal sealed class NodeDocuments(SignedDocuments documents, ISiteNodes nodes, ProxyOptions proxy, TimeProvider time)
{
    /// <summary>Serves one request; how, in a word.</summary>
    public async Task<string> ServeAsync(HttpContext context, RepositoryRoute repository, string path)
    {
        bool mayCheck = !proxy.Offline && nodes.Before(repository.Fqrn.ToString()).Count == 0;

        // Longer would be a strike: whoever asks goes to a Stratum 1 itself, and the check here goes on.
        using var patience = new CancellationTokenSource(nodes.HeadTimeout * 0.6, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, context.RequestAborted);
        SignedPair? pair;
        try
        {
            pair = await documents.FindForNodeAsync(repository, mayCheck, either.Token);
        }
        catch (OperationCanceledException)
        {
            context.Response.StatusCode = NodeWay.CouldNotGet;
            return "failed";
        }

        CachedDocument? document = path == SignedDocuments.ManifestPath ? pair?.Manifest : pair?.Whitelist;
        if (document is null)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return "not-held";
        }

        HttpResponse response = context.Response;
        response.ContentType = document.ContentType;
        response.ContentLength = document.Body.Length;
        response.Headers.CacheControl =
            string.Create(CultureInfo.InvariantCulture, $"public, max-age={(long)document.Lifetime.TotalSeconds}");
        response.Headers.Age = document.AgeSeconds(time).ToString(CultureInfo.InvariantCulture);
        await response.Body.WriteAsync(document.Body, context.RequestAborted);
        return "document";
    }
}
