using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Proxy.ZeroTouch;
using Microsoft.AspNetCore.Http.Features;

namespace Breakwater.Proxy.Pipeline;

/// <summary>Finds out what an admitted request asks for, and has it served.</summary>
internal sealed class RequestRouter(
    ExchangeRouting exchanges,
    ExchangeCounters exchangeCounters,
    HttpPolicy http,
    RepositoryRoutes repositories,
    ObjectEndpoint objects,
    DocumentEndpoint documents,
    PassThroughEndpoint passThrough,
    ZeroTouchEndpoint zeroTouch,
    ExchangeEndpoint ordinary,
    ReadyAnswers ready,
    BootObserver boots,
    ResponseHeads heads)
{
    /// <summary>Answers an admitted request; the outcome says how it ended.</summary>
    public Task RouteAsync(HttpContext context, RequestOutcome outcome)
    {
        if (!FieldGrammar.AreValid(context.Request.Headers))
        {
            context.Response.Headers.Connection = "close";
            return heads.WriteErrorAsync(context, StatusCodes.Status400BadRequest, "A header field is malformed.");
        }

        string rawTarget = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        SettingsInForce settings = ready.Settings;

        // Methods are case-sensitive (RFC 9110, 9.1); HttpMethods.IsGet is not.
        bool asksForContent = context.Request.Method is "GET" or "HEAD";
        bool hasBody = context.Request.ContentLength > 0 || context.Request.Headers.TransferEncoding.Count > 0;
        if (asksForContent && !hasBody && zeroTouch.TryServe(context, rawTarget, outcome) is { } served)
        {
            return served;
        }

        string host = context.Request.Headers.Host.ToString();
        if (!(asksForContent && hasBody) && exchanges.TryRoute(rawTarget, host, out ExchangeTarget? exchange))
        {
            ReadyRequest? next = MayBeReady(context, rawTarget) ? new ReadyRequest(rawTarget, host, settings) : null;
            return ExchangeAsync(context, exchange, hasBody, next, outcome);
        }

        if (hasBody)
        {
            // It is not read: nothing of it may ever be taken for a request.
            context.Response.Headers.Connection = "close";
        }

        if (!asksForContent)
        {
            context.Response.Headers.Allow = "GET, HEAD";
            return heads.WriteErrorAsync(context, StatusCodes.Status405MethodNotAllowed, HttpMethods.IsConnect(context.Request.Method)
                ? "This proxy opens no tunnels; hosts to which it may must be in Access:Connect."
                : "This proxy serves GET and HEAD below /cvmfs/.");
        }

        if (hasBody)
        {
            return heads.WriteErrorAsync(context, StatusCodes.Status400BadRequest, "A request for content has no body.");
        }

        if (rawTarget.Length > RequestTarget.MaxLength)
        {
            context.Response.Headers.Connection = "close";
            return RejectAsync(context, TargetRejection.TooLong, isAbsoluteForm: false);
        }

        Span<byte> bytes = stackalloc byte[RequestTarget.MaxLength];
        return Encoding.Latin1.TryGetBytes(rawTarget, bytes, out int length)
            ? ServeAsync(context, RequestTarget.Parse(bytes[..length]), outcome)
            : RejectAsync(context, TargetRejection.Malformed, isAbsoluteForm: false);
    }

    /// <summary>Ordinary HTTP: the methods of the settings pass, with their bodies.</summary>
    private Task ExchangeAsync(HttpContext context, ExchangeTarget target, bool hasBody, ReadyRequest? next, RequestOutcome outcome)
    {
        HttpPolicy.Snapshot policy = http.Current;
        if (!policy.Allows(context.Request.Method))
        {
            if (hasBody)
            {
                context.Response.Headers.Connection = "close";
            }

            context.Response.Headers.Allow = policy.Allow;
            return heads.WriteErrorAsync(
                context, StatusCodes.Status405MethodNotAllowed, $"This proxy passes {policy.Allow} to other hosts (Http:Methods).");
        }

        if (hasBody && context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null; // it is passed on as it comes
        }

        return ServeAsync(context, target, next, outcome);
    }

    /// <summary>
    /// Would the next request like it come on the event loops, and to here? A file may appear in the boot folder at any time.
    /// </summary>
    private bool MayBeReady(HttpContext context, string rawTarget) => context.Request.Method == "GET"
        && context.Features.Get<IBegunRequestFeature>() is not null && !zeroTouch.MayServe(rawTarget);

    private async Task ServeAsync(HttpContext context, ExchangeTarget target, ReadyRequest? next, RequestOutcome outcome)
    {
        try
        {
            await ordinary.ServeAsync(context, target, next, outcome);
        }
        finally
        {
            exchangeCounters.Count(outcome.Result, outcome.BytesSent);
        }
    }

    private Task ServeAsync(HttpContext context, RequestTarget target, RequestOutcome outcome)
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

        IPAddress? client = context.Connection.RemoteIpAddress;
        bool isSecret = context.Request.Headers.Authorization.Count > 0;
        TargetKind kind = isSecret ? TargetKind.PassThrough : target.Kind;
        return kind switch
        {
            TargetKind.Object => objects.ServeAsync(context, FetchOrder.Of(target.Key, repository, path, hint, client), outcome),
            TargetKind.Document => documents.ServeAsync(context, new DocumentRequest(DocumentKind.File, repository, path, hint, client),
                outcome),
            TargetKind.Geo => documents.ServeAsync(context, new DocumentRequest(DocumentKind.Geo, repository, path, hint, client), outcome),
            _ when target.Kind == TargetKind.PassThrough && !isSecret && !target.Fqrn.SequenceEqual("info"u8) =>
                ordinary.ServeAsync(context, new ExternalFile(repository, $"/cvmfs/{repository.Fqrn}/{path}", hint), outcome),
            _ => passThrough.ServeAsync(context, repository, $"/cvmfs/{repository.Fqrn}/{path}", hint, outcome),
        };
    }

    /// <summary><c>/cvmfs/info/…</c> belongs to a server: to the cluster that has the named host, else to the first.</summary>
    private bool TryFindRoute(ReadOnlySpan<byte> fqrn, string? hint, [NotNullWhen(true)] out RepositoryRoute? repository)
    {
        if (!fqrn.SequenceEqual("info"u8))
        {
            return repositories.TryFind(fqrn, out repository);
        }

        repository = repositories.ForServerInfo(hint);
        return true;
    }

    private Task RejectAsync(HttpContext context, TargetRejection rejection, bool isAbsoluteForm)
    {
        (int status, string text) = rejection switch
        {
            TargetRejection.NotCvmfs or TargetRejection.Malformed when IsSquidsManager(context) => (
                StatusCodes.Status404NotFound,
                "squid's cache manager pages are on the admin port (Admin:Listen), below /squid-internal-mgr/, for Admin:Readers; "
                + "metrics are there at /metrics."),
            TargetRejection.TooLong => (StatusCodes.Status414UriTooLong, "The URL is longer than any in CernVM-FS."),
            TargetRejection.Scheme => (
                StatusCodes.Status400BadRequest,
                "Only http:// URLs can be asked for; Breakwater itself may use https towards a Stratum 1."),
            TargetRejection.NotAnObject =>
                (StatusCodes.Status404NotFound, "There is no such object: its name is a hash with the letter of its kind."),
            TargetRejection.NotCvmfs when isAbsoluteForm =>
                (StatusCodes.Status403Forbidden, "This proxy serves /cvmfs/ only; other hosts must be in Access:Destinations."),
            TargetRejection.NotCvmfs => (StatusCodes.Status404NotFound, "There is nothing here; repositories are below /cvmfs/."),
            _ => (StatusCodes.Status400BadRequest, "The URL is malformed."),
        };
        return heads.WriteErrorAsync(context, status, text);
    }

    /// <summary>A probe that was written for squid asks the port of its clients.</summary>
    private static bool IsSquidsManager(HttpContext context) =>
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Contains("/squid-internal-mgr/", StringComparison.Ordinal);
}
