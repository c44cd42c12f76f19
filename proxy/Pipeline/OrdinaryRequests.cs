using System.Diagnostics.CodeAnalysis;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Settings;
using Microsoft.AspNetCore.Http.Features;

namespace Breakwater.Proxy.Pipeline;

/// <summary>Requests of ordinary HTTP: says whether a request is one, and answers it if its method is allowed.</summary>
internal sealed class OrdinaryRequests(
    ExchangeRouting routing, ExchangeCounters counters, HttpPolicy http, ExchangeEndpoint endpoint, ReadyAnswers ready,
    ResponseHeads heads)
{
    /// <summary>The settings in force for new requests.</summary>
    public SettingsInForce Settings => ready.Settings;

    /// <inheritdoc cref="ExchangeRouting.TryRoute"/>
    public bool TryRoute(string rawTarget, string host, [NotNullWhen(true)] out ExchangeTarget? target) =>
        routing.TryRoute(rawTarget, host, out target);

    /// <summary>Ordinary HTTP: the methods of the settings pass, with their bodies.</summary>
    public Task ServeAsync(HttpContext context, ExchangeTarget target, bool hasBody, ReadyRequest? next, RequestOutcome outcome)
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

        if (FaultOfCoding(context.Request.Headers) is { } fault)
        {
            context.Response.Headers.Connection = "close";
            return heads.WriteErrorAsync(context, fault.Status, fault.Text);
        }

        if (hasBody && context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null; // it is passed on as it comes
        }

        return ServeAsync(context, target, next, outcome);
    }

    /// <summary>Kestrel undoes one coding and would have the origin take the bytes of the others for the body.</summary>
    private static (int Status, string Text)? FaultOfCoding(IHeaderDictionary fields) =>
        fields.TransferEncoding.Count == 0 ? null
        : !"chunked".Equals(fields.TransferEncoding.ToString().Trim(), StringComparison.OrdinalIgnoreCase)
            ? (StatusCodes.Status501NotImplemented, "The body may be chunked, and in no other transfer coding.")
        : fields.ContainsKey("X-Content-Length") // what Kestrel makes of a Content-Length beside chunks
            ? (StatusCodes.Status400BadRequest, "Content-Length beside Transfer-Encoding: chunked.")
        : null;

    private async Task ServeAsync(HttpContext context, ExchangeTarget target, ReadyRequest? next, RequestOutcome outcome)
    {
        try
        {
            await endpoint.ServeAsync(context, target, next, outcome);
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            context.Response.Headers.Connection = "close";
            await heads.WriteErrorAsync(context, e.StatusCode, "The body of the request is malformed.");
        }
        finally
        {
            counters.Count(outcome.Result, outcome.BytesSent);
        }
    }
}
