using System.Net;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// How a handler learns by which parent proxy one request goes: <see cref="IWebProxy"/> is told the server alone. The handler asks on the
/// flow that sends, before anything waits. Thread-safe.
/// </summary>
/// <param name="parents">All of them.</param>
/// <param name="cluster">Id of the cluster.</param>
/// <param name="system">What the handler would use without them: rules of YARP's settings.</param>
internal sealed class ParentChoice(ParentProxies parents, string cluster, WebProxy system) : IWebProxy
{
    private static readonly AsyncLocal<Uri?> s_chosen = new();

    /// <summary>The passwords in force: they may change while connections stay.</summary>
    public ICredentials? Credentials
    {
        get => new ParentCredentials(parents, cluster, system.Credentials);
        set => throw new NotSupportedException();
    }

    /// <summary>Requests that this flow sends from now on go by this parent.</summary>
    public static void Choose(Uri address) => s_chosen.Value = address;

    /// <inheritdoc/>
    public Uri? GetProxy(Uri destination) => s_chosen.Value ?? system.Address;

    /// <inheritdoc/>
    public bool IsBypassed(Uri host) => parents.IsBypassed(cluster, host) || system.IsBypassed(host);

    private sealed class ParentCredentials(ParentProxies parents, string cluster, ICredentials? system) : ICredentials
    {
        public NetworkCredential? GetCredential(Uri uri, string authType) =>
            parents.Of(cluster, uri)?.Credential ?? system?.GetCredential(uri, authType);
    }
}
