using System.Net;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Pipeline;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Upstreams;
using Microsoft.AspNetCore.Http.Features;

namespace Breakwater.Proxy.Cluster;

/// <summary>
/// Ordinary HTTP for other nodes: answered as a client's request is, by this node's own settings, but no node is asked again.
/// </summary>
internal sealed class NodeExchanges(ExchangeRouting routing, ExchangeEndpoint endpoint, LoopGuard loops)
{
    /// <summary>Serves one request; how, in a word.</summary>
    public async Task<string> ServeAsync(HttpContext context)
    {
        if (!NodeQuestion.TryRead(context.Request.Headers[NodeQuestion.Field], out (string Target, string Host) asked,
                out HeaderFields? fields)
            || !routing.TryRoute(asked.Target, asked.Host, out ExchangeTarget? target))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return "refused";
        }

        (_, IPAddress? client) = NodeWay.ReadErrand(context.Request.Headers[ContentQuestion.ErrandField].ToString());
        DefaultHttpContext inner = ToClients(context, fields, client);
        if (loops.IsLoop(inner.Request.Headers))
        {
            context.Response.StatusCode = StatusCodes.Status508LoopDetected;
            return "refused";
        }

        // The sign of life: how long the origin thinks is not this node's fault.
        await context.Response.StartAsync(context.RequestAborted);
        var outcome = new RequestOutcome();
        var answer = new NodeAnswer(context.Response.Body, () => HeadOf(inner.Response, outcome));
        inner.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(answer));
        await endpoint.ServeAsync(inner, target with { IsForNode = true }, next: null, outcome);
        await inner.Response.CompleteAsync();
        await answer.EndAsync(context.RequestAborted);
        if (inner.Response.ContentLength is { } promised && answer.BodyBytes != promised && outcome.Result != RequestResult.Failed)
        {
            context.Abort();
        }

        return outcome.Result switch
        {
            RequestResult.Hit or RequestResult.Negative or RequestResult.Revalidated or RequestResult.Stale => "hit",
            RequestResult.Joined => "joined",
            RequestResult.Failed or RequestResult.ClientGone => "failed",
            _ => "miss",
        };
    }

    /// <summary>The request as the client's own.</summary>
    private static DefaultHttpContext ToClients(HttpContext context, HeaderFields fields, IPAddress? client)
    {
        var inner = new DefaultHttpContext();
        inner.Features.Set(context.Features.GetRequiredFeature<IHttpRequestLifetimeFeature>());
        inner.Request.Method = HttpMethods.Get;
        inner.Connection.RemoteIpAddress = client ?? context.Connection.RemoteIpAddress;
        foreach ((string name, string value) in fields)
        {
            inner.Request.Headers.Append(name, value);
        }

        return inner;
    }

    /// <summary>
    /// What this node could not get is told as such: the other one may have a way to the origin.
    /// </summary>
    private static byte[] HeadOf(HttpResponse response, RequestOutcome outcome) => outcome.Result == RequestResult.Failed
        ? NodeQuestion.WriteHead(NodeWay.CouldNotGet, null, new HeaderFields())
        : NodeQuestion.WriteHead(response.StatusCode, response.HttpContext.Features.Get<IHttpResponseFeature>()?.ReasonPhrase,
            HeaderFields.Of(response.Headers));
}
