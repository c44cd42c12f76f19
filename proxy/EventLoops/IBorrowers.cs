using System.Net;

namespace Breakwater.Proxy.EventLoops;

/// <summary>Where a listener's connections find Kestrel.</summary>
internal interface IBorrowers
{
    /// <summary>Makes Kestrel's side of a connection; <see cref="Offer"/> follows once the first request is in it.</summary>
    /// <param name="descriptor">The socket.</param>
    /// <param name="id">Identity of the connection.</param>
    /// <param name="client">The client's end.</param>
    /// <param name="hasNews">Called, from any thread, when the loop should look at it: Kestrel waits for bytes, or is done.</param>
    IBorrower Open(int descriptor, string id, IPEndPoint client, Action hasNews);

    /// <summary>Kestrel accepts it, or ends it because the proxy has stopped.</summary>
    void Offer(IBorrower borrower);
}
