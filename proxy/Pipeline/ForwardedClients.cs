using System.Net;
using Breakwater.Proxy.Access;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Breakwater.Proxy.Pipeline;

/// <summary>
/// Settles for whom a request is: the balancers of <c>Proxy:ForwardedFor</c> are believed, in origin-form, where they stand in front as
/// they would in front of a web server. What anybody else says of it goes no further: a server that believes this proxy would believe it.
/// </summary>
internal sealed class ForwardedClients(Balancers balancers, ClientLimits limits)
{
    private const string ForwardedFor = "X-Forwarded-For";

    /// <summary>From here on the request's client is the one that counts, in its connection's features and in its fields.</summary>
    public void Settle(HttpContext context)
    {
        IHeaderDictionary fields = context.Request.Headers;
        if (fields.TryGetValue("Forwarded", out StringValues forwarded)
            && forwarded.ToString().Contains("for=", StringComparison.OrdinalIgnoreCase))
        {
            fields.Remove("Forwarded");
        }

        fields.Remove("X-Real-IP");
        if (!fields.Remove(ForwardedFor, out StringValues said)
            || context.Connection.RemoteIpAddress is not { } sender || !balancers.Forwards(sender)
            || !context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.StartsWith('/'))
        {
            return;
        }

        IPAddress client = balancers.ClientOf(sender, said.ToString());
        context.Connection.RemoteIpAddress = client;
        limits.Seen.Note(ClientKey.Of(client));
        fields[ForwardedFor] = client.ToString();

        // Requests of many clients share a balancer's connection: boots must not take them for one VM's.
        context.Connection.Id = $"{context.Connection.Id}/{client}";
    }
}
