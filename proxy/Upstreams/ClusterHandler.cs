using System.Net;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// Every request to a Stratum 1 of a cluster passes here, probes too. It keeps the connections of objects and of files that are passed
/// through apart, signs, shows the parent proxy its password, and tells the parent's own failures from the Stratum 1's: after
/// those the next parent is asked.
/// </summary>
/// <param name="cluster">Id of the cluster.</param>
/// <param name="objects">Connections of which the settings say how many there are.</param>
/// <param name="apart">Connections that a client may hold as long as it reads: theirs are no limit of the others.</param>
/// <param name="way">The parent proxy as the handlers know it; null: Stratum 1s are asked directly.</param>
/// <param name="parents">The parents in force: which are asked, by which password, and how they do.</param>
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
        if (way is null || way.IsBypassed(request.RequestUri!) || parents.InOrder(cluster) is not { Count: > 0 } order)
        {
            return await client.SendAsync(request, cancellationToken);
        }

        List<string>? faults = null;
        for (int i = 0; ; i++)
        {
            try
            {
                return await SendByAsync(order[i], order.Count > 1, client, request, cancellationToken);
            }
            catch (ParentProxyException e) when (order.Count > 1)
            {
                (faults ??= []).Add(e.Message);
                cancellationToken.ThrowIfCancellationRequested();
                if (i + 1 == order.Count || !ReusedConnections.MayRepeat(request))
                {
                    throw new ParentProxyException(string.Join("; ", faults), e);
                }
            }
        }
    }

    private static async Task<HttpResponseMessage> SendByAsync(ParentState state, bool hasOthers, HttpMessageInvoker client,
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ParentProxy parent = state.Proxy;

        // Towards a https Stratum 1 it belongs on the CONNECT, which the handler makes with the proxy's credentials: within the tunnel it
        // would tell the Stratum 1 the password.
        bool isTunnel = request.RequestUri!.Scheme == Uri.UriSchemeHttps;
        request.Headers.Remove("Proxy-Authorization");
        if (!isTunnel && parent.Authorization is { } authorization)
        {
            request.Headers.TryAddWithoutValidation("Proxy-Authorization", authorization);
        }

        ParentChoice.Choose(parent.Address);
        long begun = state.Begin();
        HttpResponseMessage response;
        try
        {
            response = await client.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException e) when (ParentFault.Of(e, parent, isTunnel) is { } fault)
        {
            state.NoteFailure(fault);
            throw new ParentProxyException(fault, e);
        }
        catch (OperationCanceledException) when (hasOthers)
        {
            state.NoteAbandoned(begun);
            throw;
        }

        if (!isTunnel && ParentFault.Of(response, parent, state.Signs) is { } refusal)
        {
            response.Dispose();
            state.NoteFailure(refusal);
            throw new ParentProxyException(refusal);
        }

        state.NoteAnswer(response.IsSuccessStatusCode && response.Headers.Via.Count > 0);
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
