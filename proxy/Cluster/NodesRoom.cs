using System.Net;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Cluster;

/// <summary>
/// The other nodes' admin APIs on this one's admin port, below <c>cluster/at/NODE/</c>, for commands with <c>--all-nodes</c>.
/// </summary>
internal sealed class NodesRoom(YarpNodes nodes, ISiteNodes site) : IAdminRoom
{
    private const string At = "cluster/at/{node}/{**path}";

    /// <inheritdoc/>
    public void Map(AdminApi admin)
    {
        admin.Read(At, "Reads from another node's admin API.", ForwardAsync);
        admin.Upload(At, "Acts on another node by its admin API.", ForwardAsync);
        admin.Remove(At, "Removes on another node by its admin API.", ForwardAsync);
    }

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

    private static Task Refuse(HttpContext context, int status, string why) => new AdminProblem(why).Result(status).ExecuteAsync(context);
}
