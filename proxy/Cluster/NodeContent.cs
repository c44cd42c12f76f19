using System.Net;
using System.Text;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Cluster;

/// <summary>What other nodes ask for: of repositories objects, manifests and whitelists; and ordinary HTTP.</summary>
internal sealed class NodeContent(NodeObjects objects, NodeDocuments documents, NodeExchanges exchanges, RepositoryRoutes routes)
{
    /// <summary>Answers one request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="rawTarget">Its target; what is neither below <c>/cvmfs/</c> nor <see cref="NodeQuestion.Path"/> is a 404.</param>
    /// <returns>How it was answered, in a word.</returns>
    public Task<string> ServeAsync(HttpContext context, string rawTarget)
    {
        if (rawTarget == NodeQuestion.Path)
        {
            return exchanges.ServeAsync(context);
        }

        byte[] bytes = Encoding.Latin1.GetBytes(rawTarget);
        RequestTarget target = RequestTarget.Parse(bytes);
        if (target.IsAbsoluteForm || !routes.TryFind(target.Fqrn, out RepositoryRoute? route))
        {
            return NotFound(context);
        }

        string path = Encoding.ASCII.GetString(target.Path);
        return target.Kind switch
        {
            TargetKind.Object => objects.ServeAsync(context, OrderOf(context, target, route, path)),
            TargetKind.Document when path is SignedDocuments.ManifestPath or SignedDocuments.WhitelistPath =>
                documents.ServeAsync(context, route, path),
            _ => NotFound(context),
        };
    }

    private static FetchOrder OrderOf(HttpContext context, RequestTarget target, RepositoryRoute route, string path)
    {
        (FetchPriority priority, IPAddress? client) =
            NodeWay.ReadErrand(context.Request.Headers[ContentQuestion.ErrandField].ToString());
        return new FetchOrder(target.Key, route, path, null, priority, client) { Scope = FetchScope.Upstream };
    }

    private static Task<string> NotFound(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.FromResult("refused");
    }
}
