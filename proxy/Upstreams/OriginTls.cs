using System.Net.Security;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// https to an origin that the settings name. The HTTP client would ask for the certificate of the <c>Host</c> field, which names the site
/// as clients know it: it is the server of the URL that is asked, and has to prove that it is that one. So the client is told of plain
/// HTTP, and the connection that it gets is encrypted here. Thread-safe.
/// </summary>
internal sealed class OriginTls(GuardedConnector connector, UpstreamTlsFiles tls)
{
    private static readonly UriCreationOptions s_asWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };

    /// <summary>The same URL without https; the port stays.</summary>
    public static Uri Plain(Uri url) => new($"http://{url.Host}:{url.Port}{url.PathAndQuery}", s_asWritten);

    /// <summary>Connects to the host and port of a URL that <see cref="Plain"/> gave.</summary>
    /// <exception cref="System.Security.Authentication.AuthenticationException">It is not who it should be, or refuses us.</exception>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Stream plain = await connector.ConnectConfiguredAsync(context, cancellationToken);
        var encrypted = new SslStream(plain);
        try
        {
            var options = new SslClientAuthenticationOptions
            {
                TargetHost = context.DnsEndPoint.Host.Trim('[', ']'),
                ApplicationProtocols = [SslApplicationProtocol.Http11],
            };
            tls.Apply(null, options);
            await encrypted.AuthenticateAsClientAsync(options, cancellationToken);
            return encrypted;
        }
        catch
        {
            await encrypted.DisposeAsync();
            throw;
        }
    }
}
