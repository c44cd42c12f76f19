using System.Net.Http.Headers;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Settings;
using Microsoft.AspNetCore.Http.Features;

namespace Breakwater.Proxy.Cluster;

/// <summary>
/// Does for another node of the site what a command there asks of all nodes (<c>--all-nodes</c>): it hands the request to this node's own
/// admin port. Only what those commands and <c>doctor</c> need (ADR 117). Thread-safe.
/// </summary>
internal sealed class NodeAdmin(BreakwaterSettings settings) : IDisposable
{
    /// <summary>Where such requests are on the node port.</summary>
    public const string Prefix = "/node/admin/";

    private static readonly (string Method, string Path)[] s_allowed =
    [
        ("GET", "cluster/facts"), ("GET", "status"), ("GET", "pins"), ("GET", "seeds"),
        ("POST", "warm"), ("POST", "http/purge"), ("POST", "seeds"), ("DELETE", "pins"), ("DELETE", "seeds/*"),
    ];

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>May a node ask for this?</summary>
    /// <param name="method">The method.</param>
    /// <param name="pathAndQuery">Below the admin API, escaped.</param>
    public static bool IsAllowed(string method, string pathAndQuery)
    {
        string path = pathAndQuery.Split('?', 2)[0];
        return !path.Contains("..", StringComparison.Ordinal) && !path.Contains('%', StringComparison.Ordinal)
            && Array.Exists(s_allowed, one => one.Method == method && Matches(one.Path, path));
    }

    /// <summary>Answers one request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="pathAndQuery">Below the admin API, escaped.</param>
    public async Task HandleAsync(HttpContext context, string pathAndQuery)
    {
        if (!IsAllowed(context.Request.Method, pathAndQuery))
        {
            await Refuse(context, StatusCodes.Status404NotFound, "Nodes do not do this for each other.");
            return;
        }

        if (AdminAddressFile.Find(settings.Admin) is not { } address)
        {
            await Refuse(context, StatusCodes.Status503ServiceUnavailable, "This node has no admin port: Admin:Listen is empty there.");
            return;
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null; // the admin port has its own, and a seed has any length
        }

        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), new Uri(address, "/api/v1/" + pathAndQuery));
        CopyBody(context.Request, request);
        try
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", AdminToken.Read(settings.Admin.TokenFile!));
            using HttpResponseMessage response =
                await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
            await CopyAsync(response, context);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or UnauthorizedAccessException && !context.Response.HasStarted)
        {
            await Refuse(context, StatusCodes.Status502BadGateway, $"The node's own admin port does not answer: {e.Message}");
        }
    }

    /// <summary>Sends a request's body and its type on.</summary>
    public static void CopyBody(HttpRequest from, HttpRequestMessage to)
    {
        if (from.ContentLength > 0 || from.Headers.TransferEncoding.Count > 0)
        {
            to.Content = new StreamContent(from.Body);
            to.Content.Headers.ContentLength = from.ContentLength;
            if (from.ContentType is { } type)
            {
                to.Content.Headers.TryAddWithoutValidation("Content-Type", type);
            }
        }
    }

    /// <summary>Sends an answer on as it comes.</summary>
    public static async Task CopyAsync(HttpResponseMessage from, HttpContext to)
    {
        to.Response.StatusCode = (int)from.StatusCode;
        to.Response.ContentType = from.Content.Headers.ContentType?.ToString();
        to.Response.ContentLength = from.Content.Headers.ContentLength;
        await using Stream body = await from.Content.ReadAsStreamAsync(to.RequestAborted);
        byte[] buffer = new byte[16 << 10];
        int read;
        while ((read = await body.ReadAsync(buffer, to.RequestAborted)) > 0)
        {
            await to.Response.Body.WriteAsync(buffer.AsMemory(0, read), to.RequestAborted);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static bool Matches(string pattern, string path) => pattern.EndsWith('*')
        ? path.Length >= pattern.Length && path.StartsWith(pattern[..^1], StringComparison.Ordinal)
        && !path[pattern.Length..].Contains('/', StringComparison.Ordinal)
        : path == pattern;

    private static Task Refuse(HttpContext context, int status, string why) =>
        new AdminProblem(why).Result(status).ExecuteAsync(context);
}
