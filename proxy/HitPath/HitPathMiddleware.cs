using System.Net;
using System.Net.Sockets;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.HitPath.Loop;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Breakwater.Proxy.HitPath;

/// <summary>Puts the hit path in front of Kestrel's HTTP on a connection of an allowed client.</summary>
internal sealed class HitPathMiddleware(ClientAccess clients, HitResponder responder)
{
    /// <summary>The connection delegate around Kestrel's.</summary>
    public ConnectionDelegate Wrap(ConnectionDelegate next) => connection => RunAsync(connection, next);

    private async Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        Socket? socket = connection.Features.Get<IConnectionSocketFeature>()?.Socket;
        IPAddress? client = (connection.RemoteEndPoint as IPEndPoint)?.Address;
        if (socket is null || client is null || !clients.Allows(client))
        {
            await next(connection);
            return;
        }

        JoinedRequest? joined = connection.Features.Get<AdoptedConnection>()?.TakeJoined();
        await using var hits = new HitConnection(connection, socket, client, responder, joined);
        await hits.RunAsync(next);
    }
}
