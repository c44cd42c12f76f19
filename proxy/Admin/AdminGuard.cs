using System.Net;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Admin;

/// <summary>Decides who may do what on the admin port. Pure and immutable.</summary>
internal sealed class AdminGuard(AdminOptions options, AdminToken token)
{
    /// <summary>What somebody has to see before the token is known: the form, and nothing of this server.</summary>
    private static readonly string[] s_signInPage = ["/login.html", "/login.js", "/page.css", "/icon.svg"];

    private readonly ClientAccess _readers = new(options.EffectiveReaders);

    /// <summary>May this request go on?</summary>
    /// <param name="method">Its method; all but GET and HEAD are actions.</param>
    /// <param name="path">Its path; health is open to all, since probes of orchestrators carry no token.</param>
    /// <param name="host">Host without port; empty when the request has none.</param>
    /// <param name="client">Address that it came from.</param>
    /// <param name="authorization">Its <c>Authorization</c> header.</param>
    /// <param name="session">Who signed in on the page; null: nobody.</param>
    /// <param name="csrf">Its <c>X-CSRF-Token</c> header.</param>
    public AdminVerdict Decide(string method, PathString path, string host, IPAddress? client, string? authorization,
        AdminSession? session = null, string? csrf = null)
    {
        if (!IsOurName(host))
        {
            return AdminVerdict.WrongHost;
        }

        bool isRead = HttpMethods.IsGet(method) || HttpMethods.IsHead(method);
        bool isOpen = isRead
            ? path.StartsWithSegments("/healthz") || s_signInPage.Contains(path.Value, StringComparer.Ordinal) || _readers.Allows(client)
            : HttpMethods.IsPost(method) && path == SessionRoom.Path;
        if (isOpen || token.Matches(authorization) || (session is not null && (isRead || AdminSessions.Proves(session, csrf))))
        {
            return AdminVerdict.Allowed;
        }

        return session is null ? AdminVerdict.TokenNeeded : AdminVerdict.CsrfNeeded;
    }

    /// <summary>An address cannot be rebound to another by DNS, a name can.</summary>
    private bool IsOurName(string host) =>
        host.Length == 0
        || host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || IPAddress.TryParse(host.Trim('[', ']'), out _)
        || options.Hosts.Contains(host, StringComparer.OrdinalIgnoreCase);
}
