using System.Text;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.ZeroTouch;
using Microsoft.AspNetCore.Http.Features;

namespace Breakwater.Proxy.Pipeline;

/// <summary>Finds out what an admitted request asks for, and has it served.</summary>
internal sealed class RequestRouter(
    OrdinaryRequests ordinary, RepositoryRequests repositories, ZeroTouchEndpoint zeroTouch, ResponseHeads heads)
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
        SettingsInForce settings = ordinary.Settings;

        // Methods are case-sensitive (RFC 9110, 9.1); HttpMethods.IsGet is not.
        bool asksForContent = context.Request.Method is "GET" or "HEAD";
        bool hasBody = context.Request.ContentLength > 0 || context.Request.Headers.TransferEncoding.Count > 0;
        if (asksForContent && !hasBody && zeroTouch.TryServe(context, rawTarget, outcome) is { } served)
        {
            return served;
        }

        string host = context.Request.Headers.Host.ToString();
        if (!(asksForContent && hasBody) && ordinary.TryRoute(rawTarget, host, out ExchangeTarget? exchange))
        {
            ReadyRequest? next = MayBeReady(context, rawTarget) ? new ReadyRequest(rawTarget, host, settings) : null;
            return ordinary.ServeAsync(context, exchange, hasBody, next, outcome);
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

    /// <summary>
    /// Would the next request like it come on the event loops, and to here? A file may appear in the boot folder at any time.
    /// </summary>
    private bool MayBeReady(HttpContext context, string rawTarget) => context.Request.Method == "GET"
        && context.Features.Get<IBegunRequestFeature>() is not null && !zeroTouch.MayServe(rawTarget);

    private Task ServeAsync(HttpContext context, RequestTarget target, RequestOutcome outcome)
    {
        if (target.Kind == TargetKind.Rejected)
        {
            return RejectAsync(context, target.Rejection, target.IsAbsoluteForm);
        }

        return repositories.ServeAsync(context, target, outcome);
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
