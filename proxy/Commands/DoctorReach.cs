using System.Net.Sockets;
using System.Security.Authentication;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Commands;

/// <summary>
/// Why a Stratum 1 was not reached, told apart by what an operator has to look at: name service, TLS, firewall, the server itself. Pure.
/// </summary>
internal static class DoctorReach
{
    private const string Otherwise = "set a parent proxy (HttpClient:WebProxy), or take it out of its cluster";

    /// <summary>What was found, and what to do next.</summary>
    /// <param name="failure">What the attempt ended with.</param>
    /// <param name="host">Host that was looked up.</param>
    /// <param name="port">Its port.</param>
    /// <param name="patienceSeconds">How long an answer was waited for.</param>
    public static (string Found, string Next) Of(Exception failure, string host, int port, double patienceSeconds)
    {
        for (Exception? e = failure; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case LookupFailedException:
                    return ($"DNS: the name {host} cannot be looked up: {e.Message}", NameNext);
                case AuthenticationException:
                    return ($"TLS: {e.Message}{Reason(e)}",
                        "is the clock right, and is the certificate's authority in this host's trust store (update-ca-certificates)? "
                        + "Does a "
                        + "firewall between break TLS open? Or does this port speak http://, without TLS?");
                case SocketException { SocketErrorCode: SocketError.ConnectionRefused }:
                    return ($"connection refused: nothing listens on {host}:{port}, or a firewall refuses it",
                        $"is the address right and the server up? If so, open the firewall to {host}:{port}, {Otherwise}");
                case SocketException { SocketErrorCode: SocketError.HostUnreachable or SocketError.NetworkUnreachable }:
                    return ($"no route: {e.Message}", $"look at this host's routes (ip route get {host}) and its network's gateway");
                case TimeoutException:
                    return ($"firewall: {host}:{port} does not answer a connection at all",
                        $"open the firewall to {host}:{port}, {Otherwise}");
            }
        }

        return failure switch
        {
            HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => ($"TLS: {Innermost(failure)}",
                "does this port speak http://, without TLS? Does a firewall between break TLS open?"),
            OperationCanceledException => (FormattableString.Invariant($"connected, but no answer in {patienceSeconds:0.#} s"),
                $"is the server overloaded, or does a firewall swallow what comes back? Else {Otherwise}"),
            _ => (Innermost(failure), $"is a Stratum 1 at {host}:{port}? Else {Otherwise}"),
        };
    }

    /// <summary>
    /// A failure whose address the settings do not allow, whoever was to be connected to, the Stratum 1 or its parent proxy; null: none. No
    /// waiting mends it.
    /// </summary>
    public static DoctorCheck? Prohibited(string name, Exception failure)
    {
        for (Exception? e = failure; e is not null; e = e.InnerException)
        {
            if (e is ProhibitedAddressException prohibited)
            {
                return new DoctorCheck(name, CheckLevel.Failure, prohibited.Found,
                    $"if it is meant, allow it: \"Access\": {{ \"AllowedUpstreams\": [ \"{prohibited.Network}\" ] }}; else correct the "
                    + "address in the settings, or what the name leads to (getent hosts NAME)");
            }
        }

        return null;
    }

    /// <summary>What to do about a name that has no address.</summary>
    public const string NameNext =
        "is the name right, and does a nameserver in /etc/resolv.conf know it (getent hosts NAME)? If this host has no name service, set a "
        + "parent proxy (HttpClient:WebProxy)";

    private static string Reason(Exception e) => e.InnerException is { } inner ? $" ({Innermost(inner)})" : "";

    private static string Innermost(Exception e) => e.GetBaseException().Message;
}
