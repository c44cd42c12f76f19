using System.Net.Http.Headers;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Yarp.ReverseProxy.Forwarder;

namespace Breakwater.Proxy.Serving;

/// <summary>
/// Path-addressed files of repositories with external data: they are not named by a hash, so nothing proves them; they go through YARP's forwarder and
/// are not stored. Range and its 206 pass.
/// </summary>
internal sealed class PassThroughEndpoint(IHttpForwarder forwarder, Stratum1Directory directory, ResponseHeads heads, ProxyOptions options)
{
    private readonly ForwarderRequestConfig _config = new() { ActivityTimeout = options.FetchPatience, Version = new Version(1, 1), VersionPolicy = HttpVersionPolicy.RequestVersionExact };

    /// <summary>Forwards to the first Stratum 1 that answers.</summary>
    public async Task ServeAsync(HttpContext context, RepositoryRoute repository, string urlPath, string? hint, RequestOutcome outcome)
    {
        outcome.Result = RequestResult.PassedThrough;
        foreach (Stratum1 upstream in directory.Order(repository.Cluster, hint))
        {
            outcome.Upstream = upstream.Authority;
            heads.WriteCommon(context.Response, outcome);
            ForwarderError error = await forwarder.SendAsync(context, upstream.Root, upstream.Client, _config, new Transformer(upstream.Root + urlPath));
            if (error == ForwarderError.None || context.Response.HasStarted || context.RequestAborted.IsCancellationRequested)
            {
                return;
            }

            directory.ReportFailure(upstream, FailureKind.Connect);
            context.Response.Clear();
        }

        outcome.Result = RequestResult.Failed;
        await heads.WriteFailureAsync(context, options.Offline ? UpstreamFailure.NotHeldOffline : new UpstreamFailure(FailureKind.NoUpstream, "no Stratum 1 answers"), outcome);
    }

    /// <summary>Sends exactly the path that was parsed, and nothing that tells of the client.</summary>
    private sealed class Transformer(string url) : HttpTransformer
    {
        private static readonly string[] s_kept = ["Range", "If-Range", "User-Agent", "Accept"];

        public override ValueTask TransformRequestAsync(HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
        {
            proxyRequest.RequestUri = new Uri(url);
            foreach (string name in s_kept)
            {
                if (httpContext.Request.Headers.TryGetValue(name, out Microsoft.Extensions.Primitives.StringValues values))
                {
                    proxyRequest.Headers.TryAddWithoutValidation(name, values.ToArray());
                }
            }

            return ValueTask.CompletedTask;
        }

        public override async ValueTask<bool> TransformResponseAsync(HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
        {
            if (proxyResponse is not null && (int)proxyResponse.StatusCode is >= 300 and < 400)
            {
                // A redirect would send the client past the proxy.
                httpContext.Response.StatusCode = StatusCodes.Status502BadGateway;
                return false;
            }

            Microsoft.Extensions.Primitives.StringValues via = httpContext.Response.Headers.Via;
            bool copies = await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
            httpContext.Response.Headers.Via = via;
            return copies;
        }
    }
}
