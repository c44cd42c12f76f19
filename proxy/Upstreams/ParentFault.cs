using System.Net;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Upstreams;

/// <summary>What a parent proxy fails by itself, told from what it says of a Stratum 1. Pure; shows no password.</summary>
internal static class ParentFault
{
    /// <summary>
    /// squid's words for a server that it cannot reach or that sends nothing of use: the server's failure, by the parent's testimony.
    /// </summary>
    private static readonly string[] s_ofTheServer =
        ["ERR_CONNECT_FAIL", "ERR_DNS_FAIL", "ERR_READ_", "ERR_ZERO_SIZE_OBJECT", "ERR_INVALID_RESP", "ERR_SECURE_CONNECT_FAIL"];

    /// <summary>The parent's fault in an exception of the handler; null when the Stratum 1 may be to blame.</summary>
    /// <param name="e">From the handler.</param>
    /// <param name="parent">The parent.</param>
    /// <param name="isTunnel">A tunnel through it was wanted: what fails in the tunnel is the Stratum 1's.</param>
    public static string? Of(HttpRequestException e, ParentProxy parent, bool isTunnel) => e.HttpRequestError switch
    {
        HttpRequestError.ProxyTunnelError when e.StatusCode is { } status => Refusal(status, parent),
        HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.ProxyTunnelError =>
            $"the parent proxy {parent} could not be reached: {Why(e)}",
        HttpRequestError.SecureConnectionError when !isTunnel => $"the parent proxy {parent} could not be reached: {Why(e)}",
        _ => null,
    };

    /// <summary>
    /// The parent's fault in an answer; null when it is the Stratum 1's answer, or the parent's word for what is wrong with the Stratum 1.
    /// </summary>
    /// <param name="response">The answer.</param>
    /// <param name="parent">The parent.</param>
    /// <param name="signs">Do answers that it passes on have a <c>Via</c>? Then an error without one is its own (RFC 9110, 7.6.3).</param>
    public static string? Of(HttpResponseMessage response, ParentProxy parent, bool signs)
    {
        if (response.StatusCode == HttpStatusCode.ProxyAuthenticationRequired || response.StatusCode == HttpStatusCode.LoopDetected)
        {
            return Refusal(response.StatusCode, parent);
        }

        string? squid = response.Headers.TryGetValues("X-Squid-Error", out IEnumerable<string>? errors) ? errors.First() : null;
        if (squid is not null)
        {
            return s_ofTheServer.Any(e => squid.StartsWith(e, StringComparison.OrdinalIgnoreCase))
                ? null
                : $"{Refusal(response.StatusCode, parent)} ({Plain(squid)})";
        }

        // RFC 9209: what a proxy says of the next hop.
        bool isToldOfServer = response.Headers.TryGetValues("Proxy-Status", out IEnumerable<string>? status)
            && status.Any(s => s.Contains("error=", StringComparison.OrdinalIgnoreCase));
        bool isOwn = response.StatusCode is HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout
            || ((int)response.StatusCode >= 500 && signs && response.Headers.Via.Count == 0);
        return isOwn && !isToldOfServer
            ? Refusal(response.StatusCode, parent)
            : null;
    }

    private static string Refusal(HttpStatusCode status, ParentProxy parent) =>
        $"the parent proxy {parent} answered {(int)status}" + status switch
        {
            HttpStatusCode.ProxyAuthenticationRequired when parent.Credential is null =>
                ": it wants a user and a password, in HttpClient:WebProxy:Address as http://user:password@host:port",
            HttpStatusCode.ProxyAuthenticationRequired => ": it does not accept the user and the password in HttpClient:WebProxy:Address",
            HttpStatusCode.LoopDetected => ": it has this proxy for its own way out",
            HttpStatusCode.Forbidden => ": it does not allow this Stratum 1 or this proxy",
            _ => "",
        };

    private static string Why(HttpRequestException e) => (e.InnerException ?? e).Message;

    private static string Plain(string text) => new([.. text.Where(char.IsAscii).Where(c => !char.IsControl(c)).Take(60)]);
}
