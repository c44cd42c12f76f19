using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Serving;

/// <summary>
/// HEAD of an object that is not stored: asks the Stratum 1s for the head alone, since replication checks hundreds of objects that nobody wants to have.
/// </summary>
internal sealed class HeadProbe(UpstreamClient client, ResponseHeads heads, ProxyOptions options, TimeProvider time)
{
    public async Task ServeAsync(HttpContext context, RepositoryRoute repository, string urlPath, string? hint, RequestOutcome outcome)
    {
        using var deadline = new CancellationTokenSource(options.AnswerTimeout, time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, context.RequestAborted);
        CandidateCursor cursor = client.Candidates(repository, hint);
        outcome.Result = RequestResult.PassedThrough;
        try
        {
            using UpstreamResponse? response = await client.OpenAsync(HttpMethod.Head, urlPath, 0, cursor, patience.Token);
            if (response is null)
            {
                outcome.Result = RequestResult.Failed;
                await heads.WriteFailureAsync(context, cursor.ToFailure(), outcome);
                return;
            }

            outcome.Upstream = response.Upstream.Authority;
            heads.WriteObject(context.Response, outcome, response.TotalLength, null);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
        {
            outcome.Result = RequestResult.Failed;
            await heads.WriteFailureAsync(context, new UpstreamFailure(FailureKind.Timeout, "no Stratum 1 has answered in time"), outcome);
        }
    }
}
