using System.Net;

namespace Breakwater.Proxy.Access;

/// <summary>
/// Decides who may ask, for all ways of a request: the pipeline, tunnels and the event loops. In this order: the client's address, its
/// password, its turn. Settings that are reloaded reach open connections, since every request is decided anew. Thread-safe.
/// </summary>
internal sealed class Admission(ClientAccess clients, ProxyUsers users, ClientLimits limits, Drain drain)
{
    /// <summary>Is the proxy about to stop? Then every answer is the last one on its connection.</summary>
    public bool IsDraining => drain.IsUnderWay;

    /// <summary>May clients of this address use the proxy?</summary>
    /// <param name="client">Null: not a TCP connection, which is refused.</param>
    public bool AllowsAddress(IPAddress? client) => clients.Allows(client);

    /// <summary>
    /// May a request be answered on the event loops? Not while a password, a limit of requests or a farewell stands between this client and
    /// its answer: the pipeline sees to those.
    /// </summary>
    public bool AllowsAtOnce(IPAddress client) => !drain.IsUnderWay && !users.AreRequired && !limits.AreRequestsLimited
        && clients.Allows(client);

    /// <summary>Decides about one request, which takes its turn when the client's requests are limited.</summary>
    /// <param name="client">The client's address; null: not a TCP connection.</param>
    /// <param name="authorization">The value of <c>Proxy-Authorization</c>; null: not sent.</param>
    public Verdict Admit(IPAddress? client, string? authorization)
    {
        if (!clients.Allows(client))
        {
            return new Verdict(Refusal.Address, TimeSpan.Zero);
        }

        if (users.AreRequired && !users.Allows(authorization))
        {
            return new Verdict(Refusal.User, TimeSpan.Zero);
        }

        return limits.TakeTurn(client) is { } wait ? new Verdict(null, wait) : new Verdict(Refusal.TooFast, TimeSpan.Zero);
    }
}
