using System.Buffers;
using System.Net.Http.Headers;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;

namespace Breakwater.Proxy.Serving;

/// <summary>
/// Path-addressed files of repositories with external data: they are not named by a hash, so nothing proves them; they go through YARP's forwarder and
/// are not stored. Range and its 206 pass. Requests with <c>Authorization</c> go this way too: what a password was needed for is not for everybody.
/// </summary>
internal sealed class PassThroughEndpoint(IHttpForwarder forwarder, Stratum1Directory directory, ResponseHeads heads, OverflowBudget budget, ProxyOptions options)
{
    private const long MaxCheckedBytes = 64L << 20;

    private readonly ForwarderRequestConfig _config = new() { ActivityTimeout = options.FetchPatience, Version = new Version(1, 1), VersionPolicy = HttpVersionPolicy.RequestVersionExact };

    /// <summary>Forwards to the first Stratum 1 that answers.</summary>
    public async Task ServeAsync(HttpContext context, RepositoryRoute repository, string urlPath, string? hint, RequestOutcome outcome)
    {
        outcome.Result = RequestResult.PassedThrough;
        context.Features.Set<IHttpUpgradeFeature>(null); // else the forwarder would open a tunnel for a client that asks to
        bool isAuthorized = context.Request.Headers.Authorization.Count > 0;
        foreach (Stratum1 upstream in directory.Order(repository.Cluster, hint))
        {
            // A password is for the host that the client named, and for no other of the cluster.
            string? authorization = isAuthorized && Stratum1Directory.IsOrigin(upstream, hint) ? context.Request.Headers.Authorization.ToString() : null;
            outcome.Upstream = upstream.Authority;
            heads.WriteCommon(context.Response, outcome);
            ForwarderError error = await forwarder.SendAsync(context, upstream.Root, upstream.Client, _config, new Transformer(upstream.Root + urlPath, authorization, outcome.Key, budget));
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
    private sealed class Transformer(string url, string? authorization, ObjectKey? key, OverflowBudget budget) : HttpTransformer
    {
        private static readonly string[] s_kept = ["Range", "If-Range", "User-Agent", "Accept"];

        public override ValueTask TransformRequestAsync(HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
        {
            proxyRequest.RequestUri = new Uri(url);
            if (authorization is not null)
            {
                proxyRequest.Headers.TryAddWithoutValidation("Authorization", authorization);
            }

            foreach (string name in s_kept)
            {
                // A part of an object cannot be checked.
                bool isLeftOut = key is not null && name is "Range" or "If-Range";
                if (!isLeftOut && httpContext.Request.Headers.TryGetValue(name, out Microsoft.Extensions.Primitives.StringValues values))
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
            if (key is not { } expected || proxyResponse is null || !proxyResponse.IsSuccessStatusCode || HttpMethods.IsHead(httpContext.Request.Method))
            {
                return copies;
            }

            if (proxyResponse.StatusCode != System.Net.HttpStatusCode.OK)
            {
                // No part was asked for, and nobody but the Stratum 1 has touched it: a success that is no 200 would be an object unchecked.
                Refuse(httpContext);
                return false;
            }

            await CopyCheckedAsync(httpContext, proxyResponse, expected, cancellationToken);
            return false;
        }

        /// <summary>An object is sent when its digest is right; no chunk of CernVM-FS is longer than the limit. It is in memory until it is sent, within the budget of all unstored bodies.</summary>
        private async Task CopyCheckedAsync(HttpContext context, HttpResponseMessage response, ObjectKey expected, CancellationToken cancellationToken)
        {
            using var body = new MemoryStream();
            try
            {
                int status = await ReadCheckedAsync(body, response, expected, cancellationToken);
                if (status != StatusCodes.Status200OK)
                {
                    Refuse(context, status);
                    return;
                }

                context.Response.ContentLength = body.Length;
                context.Response.Headers.CacheControl = "private, no-store";
                await context.Response.Body.WriteAsync(body.GetBuffer().AsMemory(0, (int)body.Length), cancellationToken);
            }
            finally
            {
                budget.GiveBack(body.Capacity);
            }
        }

        private async Task<int> ReadCheckedAsync(MemoryStream body, HttpResponseMessage response, ObjectKey expected, CancellationToken cancellationToken)
        {
            using ObjectHasher hasher = ObjectHasher.Create(expected.Algorithm);
            byte[] buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
            try
            {
                await using Stream content = await response.Content.ReadAsStreamAsync(cancellationToken);
                int read;
                while ((read = await content.ReadAsync(buffer, cancellationToken)) > 0)
                {
                    if (body.Length > MaxCheckedBytes)
                    {
                        return StatusCodes.Status502BadGateway;
                    }

                    if (body.Length + read > body.Capacity)
                    {
                        int more = Math.Max(body.Capacity, buffer.Length);
                        if (!budget.TryTake(more))
                        {
                            return StatusCodes.Status503ServiceUnavailable;
                        }

                        body.Capacity += more;
                    }

                    hasher.Append(buffer.AsSpan(0, read));
                    body.Write(buffer.AsSpan(0, read));
                }

                return hasher.FinishMatches(expected) ? StatusCodes.Status200OK : StatusCodes.Status502BadGateway;
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                // All bytes may be here and right, yet the answer was not: the client is told so.
                return StatusCodes.Status502BadGateway;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }

        private static void Refuse(HttpContext context, int status = StatusCodes.Status502BadGateway)
        {
            context.Response.Headers.ContentLength = 0;
            context.Response.Headers.RetryAfter = status == StatusCodes.Status503ServiceUnavailable ? "1" : default;
            context.Response.StatusCode = status;
        }
    }
}
