using System.Diagnostics;
using System.Text;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Threading;
using Breakwater.Proxy.Upstreams;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Proxy.ZeroTouch;
using Microsoft.AspNetCore.Http.Features;

namespace Breakwater.Proxy.Pipeline;

/// <summary>The order of everything: admit, classify, look the repository up, serve, record.</summary>
internal sealed partial class ProxyPipeline(
    ClientAccess clients,
    ProxyUsers users,
    ClientLimits limits,
    DestinationAccess destinations,
    Drain drain,
    RepositoryRoutes repositories,
    ObjectEndpoint objects,
    DocumentEndpoint documents,
    PassThroughEndpoint passThrough,
    ZeroTouchEndpoint zeroTouch,
    DestinationEndpoint otherDestinations,
    BootObserver boots,
    LoopGuard loops,
    ResponseHeads heads,
    RequestRecorder recorder,
    TimeProvider time,
    ILogger<ProxyPipeline> log)
{
    /// <summary>Handles one request to its end.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        // A request that waited on a loop before it came here began when the loop had its head.
        long startedAt = context.Features.Get<IJoinedRequestFeature>()?.TakeStart() is > 0 and var start ? start : time.GetTimestamp();
        await ThreadHop.ToPool();
        var outcome = new RequestOutcome();
        context.Features.Set(outcome);
        using Activity? span = Telemetry.Spans.StartActivity("request", ActivityKind.Server);
        try
        {
            await AdmitAsync(context, outcome);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            outcome.Result = RequestResult.ClientGone;
        }
        catch (Exception e)
        {
            LogFault(log, e);
            outcome.Result = RequestResult.Failed;
            if (context.Response.HasStarted)
            {
                context.Abort();
                return;
            }

            context.Response.Clear();
            await heads.WriteErrorAsync(context, StatusCodes.Status500InternalServerError,
                "A fault of this proxy itself; its log says which. Please report it.", "error=proxy_internal_error");
        }
        finally
        {
            Record(context, outcome, startedAt);
            Describe(span, context, outcome);
        }
    }

    private static void Describe(Activity? span, HttpContext context, RequestOutcome outcome)
    {
        if (span is { IsAllDataRequested: true })
        {
            span.SetTag("http.response.status_code", context.Response.StatusCode);
            span.SetTag("breakwater.result", RequestRecorder.NameOf(outcome.Result));
            span.SetTag("breakwater.repository", outcome.Fqrn);
            span.SetTag("breakwater.object", outcome.Key?.ToString());
            span.SetTag("server.address", outcome.Upstream);
        }
    }

    private void Record(HttpContext context, RequestOutcome outcome, long startedAt)
    {
        HttpRequest request = context.Request;
        long now = time.GetTimestamp();
        string target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        recorder.Record(new RequestRecord
        {
            StartedAt = startedAt,
            AnsweredAt = outcome.AnsweredAt != 0 ? outcome.AnsweredAt : context.Response.HasStarted ? now : 0,
            EndedAt = now,
            Result = outcome.Result,
            Source = RequestRecord.SourceOf(outcome.Result, outcome.TouchedDisk),
            Method = RequestRecord.MethodOf(request.Method),
            Status = (short)(outcome.Result == RequestResult.ClientGone && !context.Response.HasStarted ? 0 : context.Response.StatusCode),
            BytesSent = outcome.BytesSent,
            Key = outcome.Key ?? default,
            HasKey = outcome.Key is not null,
            Fqrn = outcome.Fqrn,
            Client = context.Connection.RemoteIpAddress,
            Connection = BootClient.MayBoot(request.Headers.UserAgent) ? context.Connection.Id : null,
            Target = target,
            Upstream = outcome.Upstream,
            UserAgent = request.Headers.UserAgent,
            PathHint = request.Headers.TryGetValue("cvmfs-info", out Microsoft.Extensions.Primitives.StringValues path)
                ? path.ToString()
                : null,
        });
    }

    private async Task AdmitAsync(HttpContext context, RequestOutcome outcome)
    {
        if (drain.IsUnderWay)
        {
            context.Response.Headers.Connection = "close";
        }

        if (!clients.Allows(context.Connection.RemoteIpAddress))
        {
            context.Response.Headers.Connection = "close";
            await heads.WriteErrorAsync(context, StatusCodes.Status403Forbidden, "Your address is not in Access:Clients of this proxy.");
            return;
        }

        if (users.AreRequired && !users.Allows(context.Request.Headers.ProxyAuthorization))
        {
            context.Response.Headers.ProxyAuthenticate = "Basic realm=\"CernVM-FS\", charset=\"UTF-8\"";
            await heads.WriteErrorAsync(context, StatusCodes.Status407ProxyAuthenticationRequired,
                "This proxy wants a user name and a password (Access:Users).");
            return;
        }

        TimeSpan? wait = limits.TakeTurn(context.Connection.RemoteIpAddress);
        if (wait is null)
        {
            context.Response.Headers.RetryAfter = "2";
            await heads.WriteErrorAsync(context, StatusCodes.Status429TooManyRequests,
                "Your address asks faster than Access:MaxRequestsPerSecondPerClient of this proxy.");
            return;
        }

        if (wait > TimeSpan.Zero)
        {
            await Task.Delay(wait.Value, time, context.RequestAborted);
        }

        if (loops.IsLoop(context.Request.Headers))
        {
            await heads.WriteErrorAsync(
                context,
                StatusCodes.Status508LoopDetected,
                "This request has come through this proxy before (Via, CDN-Loop): two proxies have each other for a Stratum 1 or a "
                + "parent proxy. Look at ReverseProxy:Clusters of both.",
                "error=proxy_loop_detected");
            return;
        }

        await DispatchAsync(context, outcome);
    }

    private Task DispatchAsync(HttpContext context, RequestOutcome outcome)
    {
        if (!FieldGrammar.AreValid(context.Request.Headers))
        {
            context.Response.Headers.Connection = "close";
            return heads.WriteErrorAsync(context, StatusCodes.Status400BadRequest, "A header field is malformed.");
        }

        // Methods are case-sensitive (RFC 9110, 9.1); HttpMethods.IsGet is not.
        if (context.Request.Method is not ("GET" or "HEAD"))
        {
            if (context.Request.ContentLength > 0 || context.Request.Headers.TransferEncoding.Count > 0)
            {
                // Its body is not read: nothing of it may ever be taken for a request.
                context.Response.Headers.Connection = "close";
            }

            context.Response.Headers.Allow = "GET, HEAD";
            return heads.WriteErrorAsync(context, StatusCodes.Status405MethodNotAllowed, "This proxy serves GET and HEAD below /cvmfs/.");
        }

        if (context.Request.ContentLength > 0 || context.Request.Headers.TransferEncoding.Count > 0)
        {
            context.Response.Headers.Connection = "close";
            return heads.WriteErrorAsync(context, StatusCodes.Status400BadRequest, "A request for content has no body.");
        }

        string rawTarget = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (zeroTouch.TryServe(context, rawTarget, outcome) is { } served)
        {
            return served;
        }

        if (rawTarget.Length > RequestTarget.MaxLength)
        {
            return RejectAsync(context, TargetRejection.TooLong, isAbsoluteForm: false);
        }

        if (!destinations.IsEmpty && DestinationTarget.TryParse(rawTarget, out DestinationTarget other)
            && destinations.Allows(other.Host, other.Port)
            && !new Uri(other.Url).AbsolutePath.TrimStart('/').StartsWith("cvmfs/", StringComparison.Ordinal))
        {
            return otherDestinations.ServeAsync(context, other, outcome);
        }

        Span<byte> bytes = stackalloc byte[RequestTarget.MaxLength];
        return Encoding.Latin1.TryGetBytes(rawTarget, bytes, out int length)
            ? RouteAsync(context, RequestTarget.Parse(bytes[..length]), outcome)
            : RejectAsync(context, TargetRejection.Malformed, isAbsoluteForm: false);
    }

    private Task RouteAsync(HttpContext context, RequestTarget target, RequestOutcome outcome)
    {
        if (target.Kind == TargetKind.Rejected)
        {
            return RejectAsync(context, target.Rejection, target.IsAbsoluteForm);
        }

        string? hint = target.Authority.Length == 0 ? null : Encoding.ASCII.GetString(target.Authority);
        if (!TryFindRoute(target.Fqrn, hint, out RepositoryRoute? repository))
        {
            return heads.WriteErrorAsync(
                context, StatusCodes.Status403Forbidden,
                $"The repository '{Encoding.ASCII.GetString(target.Fqrn)}' is not in Repositories of this proxy.");
        }

        outcome.Fqrn = repository.Fqrn;
        outcome.Key = target.Kind == TargetKind.Object ? target.Key : null;
        string path = Encoding.ASCII.GetString(target.Path);
        if (BootClient.MayBoot(context.Request.Headers.UserAgent)
            && (target.Kind == TargetKind.Object || (target.Kind == TargetKind.Document && path == SignedDocuments.ManifestPath)))
        {
            boots.Observe(repository, target.Kind == TargetKind.Object ? target.Key : null, context.Connection.RemoteIpAddress!,
                context.Connection.Id);
        }

        TargetKind kind = context.Request.Headers.Authorization.Count > 0 ? TargetKind.PassThrough : target.Kind;
        return kind switch
        {
            TargetKind.Object =>
                objects.ServeAsync(context, new ObjectRequest(target.Key, repository, path, hint, context.Connection.RemoteIpAddress),
                outcome),
            TargetKind.Document =>
                documents.ServeAsync(context,
                new DocumentRequest(DocumentKind.File, repository, path, hint, context.Connection.RemoteIpAddress), outcome),
            TargetKind.Geo =>
                documents.ServeAsync(context,
                new DocumentRequest(DocumentKind.Geo, repository, path, hint, context.Connection.RemoteIpAddress), outcome),
            _ => passThrough.ServeAsync(context, repository, $"/cvmfs/{repository.Fqrn}/{path}", hint, outcome),
        };
    }

    /// <summary><c>/cvmfs/info/…</c> belongs to a server: to the cluster that has the named host, else to the first.</summary>
    private bool TryFindRoute(ReadOnlySpan<byte> fqrn, string? hint,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out RepositoryRoute? repository)
    {
        if (!fqrn.SequenceEqual("info"u8))
        {
            return repositories.TryFind(fqrn, out repository);
        }

        repository = repositories.ForServerInfo(hint);
        return true;
    }

    private Task RejectAsync(HttpContext context, TargetRejection rejection, bool isAbsoluteForm) => rejection switch
    {
        TargetRejection.TooLong =>
            heads.WriteErrorAsync(context, StatusCodes.Status414UriTooLong, "The URL is longer than any in CernVM-FS."),
        TargetRejection.Scheme =>
            heads.WriteErrorAsync(context, StatusCodes.Status400BadRequest,
            "Only http:// URLs can be asked for; Breakwater itself may use https towards a Stratum 1."),
        TargetRejection.NotAnObject =>
            heads.WriteErrorAsync(context, StatusCodes.Status404NotFound,
            "There is no such object: its name is a hash with the letter of its kind."),
        TargetRejection.NotCvmfs
            when isAbsoluteForm =>
            heads.WriteErrorAsync(context, StatusCodes.Status403Forbidden,
            "This proxy serves /cvmfs/ only; other hosts must be in Access:Destinations."),
        TargetRejection.NotCvmfs =>
            heads.WriteErrorAsync(context, StatusCodes.Status404NotFound, "There is nothing here; repositories are below /cvmfs/."),
        _ => heads.WriteErrorAsync(context, StatusCodes.Status400BadRequest, "The URL is malformed."),
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "A request could not be answered: a fault of the proxy itself")]
    private static partial void LogFault(ILogger log, Exception fault);
}
