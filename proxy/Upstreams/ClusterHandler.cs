using System.Net;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// Every request to a Stratum 1 of a cluster passes here, probes too. It keeps the connections of objects and of files that are passed
/// through apart, signs, shows the parent proxy its password, and tells the parent's own failures from the Stratum 1's.
/// </summary>
/// <param name="cluster">Id of the cluster.</param>
/// <param name="objects">Connections of which the settings say how many there are.</param>
/// <param name="apart">Connections that a client may hold as long as it reads: theirs are no limit of the others.</param>
/// <param name="way">The parent proxy as the handlers know it; null: Stratum 1s are asked directly.</param>
/// <param name="parents">Its password, and how it does.</param>
/// <param name="loops">Signs each request.</param>
internal sealed class ClusterHandler(string cluster, HttpMessageHandler objects, HttpMessageHandler apart, IWebProxy? way,
    ParentProxies parents, LoopGuard loops) : HttpMessageHandler
{
    /// <summary>Set on a request whose body goes to one client, at that client's pace.</summary>
    public static readonly HttpRequestOptionsKey<bool> IsApart = new("Breakwater.IsApart");

    private readonly HttpMessageInvoker _objects = new(objects);
    private readonly HttpMessageInvoker _apart = new(apart);

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        loops.Sign(request);
        HttpMessageInvoker client = request.Options.TryGetValue(IsApart, out bool isApart) && isApart ? _apart : _objects;
        if (way is null || way.IsBypassed(request.RequestUri!) || parents.Of(cluster) is not { } parent)
        {
            return await client.SendAsync(request, cancellationToken);
        }

        // Towards a https Stratum 1 it belongs on the CONNECT, which the handler makes with the proxy's credentials: within the tunnel it
        // would tell the Stratum 1 the password.
        bool isTunnel = request.RequestUri!.Scheme == Uri.UriSchemeHttps;
        if (!isTunnel && parent.Authorization is { } authorization)
        {
            request.Headers.TryAddWithoutValidation("Proxy-Authorization", authorization);
        }

        HttpResponseMessage response;
        try
        {
            response = await client.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException e) when (ParentFault.Of(e, parent, isTunnel) is { } fault)
        {
            parents.NoteFailure(cluster, fault);
            throw new ParentProxyException(fault, e);
        }

        if (!isTunnel && ParentFault.Of(response, parent) is { } refusal)
        {
            response.Dispose();
            parents.NoteFailure(cluster, refusal);
            throw new ParentProxyException(refusal);
        }

        parents.NoteAnswer(cluster);
        return response;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _objects.Dispose();
            _apart.Dispose();
        }

        base.Dispose(disposing);
    }
}
