using System.Net;
using Breakwater.Proxy.Access;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Breakwater.Proxy.Host;

/// <summary>
/// For sockets that a service manager keeps: no connection is accepted any more from the moment a drain begins. Who connects then waits in
/// the kernel for the next process; and who was accepted has the whole farewell to send its request, so that none is closed unanswered.
/// </summary>
internal sealed class DrainingListeners(SocketTransportFactory sockets, Drain drain) : IConnectionListenerFactory,
    IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => sockets.CanBind(endpoint);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        IConnectionListener listener = await sockets.BindAsync(endpoint, cancellationToken);

        // AcceptAsync then gives null, which ends Kestrel's loop for it.
        drain.Begun.UnsafeRegister(static state => _ = ((IConnectionListener)state!).UnbindAsync().AsTask(), listener);
        return listener;
    }
}
