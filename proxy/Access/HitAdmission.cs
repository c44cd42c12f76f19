using System.Net;

namespace Breakwater.Proxy.Access;

/// <summary>
/// May a hit be answered below HttpContext? Not while something stands between this client and its answer that only the ordinary path does:
/// a password, a limit of requests, a farewell before a stop. Thread-safe.
/// </summary>
internal sealed class HitAdmission(ClientAccess clients, ProxyUsers users, ClientLimits limits, Drain drain)
{
    /// <summary>True: nothing stands between. Asked for each hit, so that reloaded settings reach open connections.</summary>
    public bool Allows(IPAddress client) =>
        !drain.IsUnderWay && !users.AreRequired && !limits.AreRequestsLimited && clients.Allows(client);
}
