using System.Diagnostics;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Threading;
using Breakwater.Proxy.Upstreams;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Breakwater.Proxy.Pipeline;

/// <summary>The order of everything: settle who asks, admit, route to whoever serves it, record.</summary>
internal sealed partial class ProxyPipeline(
    ForwardedClients forwarded, Admission admission, LoopGuard loops, RequestRouter router, ResponseHeads heads, RequestRecorder recorder,
    TimeProvider time, ILogger<ProxyPipeline> log)
{
    /// <summary>Handles one request to its end.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        // A request that waited on a loop before it came here began when the loop had its head.
        long startedAt = context.Features.Get<IBegunRequestFeature>()?.TakeStart() is > 0 and var start ? start : time.GetTimestamp();
        await ThreadHop.ToPool();
        var outcome = new RequestOutcome();
        context.Features.Set(outcome);
        using Activity? span = Telemetry.Spans.StartActivity("request", ActivityKind.Server);
        try
        {
            forwarded.Settle(context);
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
            span.SetTag("breakwater.repository", outcome.Fqrn?.ToString());
            span.SetTag("breakwater.object", outcome.Key?.ToString());
            span.SetTag("server.address", outcome.Upstream);
        }
    }

    private void Record(HttpContext context, RequestOutcome outcome, long startedAt)
    {
        IHeaderDictionary fields = context.Request.Headers;
        long now = time.GetTimestamp();
        var facts = new RequestFacts
        {
            StartedAt = startedAt,
            Method = RequestRecord.MethodOf(context.Request.Method),
            Client = context.Connection.RemoteIpAddress,
            Connection = BootClient.MayBoot(fields.UserAgent) ? context.Connection.Id : null,
            Key = outcome.Key,
            Fqrn = outcome.Fqrn,
            Target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget,
            UserAgent = FieldGrammar.ToText(fields.UserAgent),
            PathHint = fields.TryGetValue("cvmfs-info", out StringValues path) ? FieldGrammar.ToText(path) : null,
        };
        bool hasStarted = context.Response.HasStarted;
        recorder.Record(facts.Ended(
            outcome.Result,
            outcome.Result == RequestResult.ClientGone && !hasStarted ? 0 : context.Response.StatusCode,
            outcome.BytesSent,
            outcome.AnsweredAt != 0 ? outcome.AnsweredAt : hasStarted ? now : 0,
            now,
            outcome.Upstream,
            RequestRecord.SourceOf(outcome.Result, outcome.TouchedDisk)));
    }

    private async Task AdmitAsync(HttpContext context, RequestOutcome outcome)
    {
        IHeaderDictionary answer = context.Response.Headers;
        if (admission.IsDraining)
        {
            answer.Connection = "close";
        }

        Verdict verdict = admission.Admit(context.Connection.RemoteIpAddress, context.Request.Headers.ProxyAuthorization);
        if (verdict.Refusal is { } refusal)
        {
            await RefuseAsync(context, refusal);
            return;
        }

        if (verdict.Wait > TimeSpan.Zero)
        {
            await Task.Delay(verdict.Wait, time, context.RequestAborted);
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

        await router.RouteAsync(context, outcome);
    }

    private Task RefuseAsync(HttpContext context, Refusal refusal)
    {
        if (refusal.IsLast)
        {
            context.Response.Headers.Connection = "close";
        }

        if (refusal.Field is { } field)
        {
            context.Response.Headers[field] = refusal.Value;
        }

        return heads.WriteErrorAsync(context, refusal.Status, refusal.Text);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A request could not be answered: a fault of the proxy itself")]
    private static partial void LogFault(ILogger log, Exception fault);
}
