using System.Net.Sockets;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// Asks once more when the server had closed a kept connection just as the request went out, or when bytes beyond an earlier answer came
/// first: nobody is to blame, and a new connection answers. <see cref="SocketsHttpHandler"/> does so only where it had seen the connection
/// idle.
/// </summary>
/// <param name="inner">Sends.</param>
internal sealed class ReusedConnections(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private static readonly HttpRequestOptionsKey<Opening> s_opening = new("Breakwater.Opening");

    /// <summary>A connection is opened for a request: should that fail, a second would as well.</summary>
    public static void NoteOpened(HttpRequestMessage request)
    {
        if (request.Options.TryGetValue(s_opening, out Opening? opening))
        {
            opening.HasBegun = true;
        }
    }

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var opening = new Opening();
        request.Options.Set(s_opening, opening);
        try
        {
            return await base.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException e) when (!opening.HasBegun && MayRepeat(request) && IsOfConnection(e))
        {
            return await base.SendAsync(request, cancellationToken);
        }
    }

    /// <summary>May it be sent again when it is not known whether it was heard?</summary>
    public static bool MayRepeat(HttpRequestMessage request) =>
        request.Content is null && (request.Method == HttpMethod.Get || request.Method == HttpMethod.Head);

    /// <summary>May the connection's past be to blame: did it end, or bring what no answer begins with?</summary>
    public static bool IsOfConnection(HttpRequestException e) =>
        e.HttpRequestError is HttpRequestError.ResponseEnded or HttpRequestError.InvalidResponse
        || e.InnerException is IOException
        {
            InnerException: SocketException
            {
                SocketErrorCode: SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown
            }
        };

    /// <summary>Was a connection opened for the request? Written by the connection's own flow.</summary>
    private sealed class Opening
    {
        public volatile bool HasBegun;
    }
}
