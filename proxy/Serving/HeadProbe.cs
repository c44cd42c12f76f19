using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Serving;

/// <summary>
/// HEAD of an object that is not stored: asks the Stratum 1s for the head alone, since replication checks hundreds of objects that nobody
/// wants to have.
/// </summary>
internal sealed class HeadProbe(UpstreamClient client, FetchQueue queue, ResponseHeads heads, ProxyOptions options, TimeProvider time)
{
    public async Task ServeAsync(HttpContext context, FetchOrder order, RequestOutcome outcome)
    {
        using var deadline = new CancellationTokenSource(options.AnswerTimeout, time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, context.RequestAborted);
        CandidateCursor cursor = client.Candidates(order.Repository, order.Hint);
        var place = new FetchPlace(order.Priority, order.Client, order.Repository.Cluster);
        bool hasPlace = false;
        outcome.Result = RequestResult.PassedThrough;
        try
        {
            // It has one of the connections of fetches.
            await queue.EnterAsync(place, patience.Token);
            hasPlace = true;
            using UpstreamResponse? response = await client.OpenAsync(HttpMethod.Head, order.UrlPath, 0, cursor, patience.Token);
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
        finally
        {
            if (hasPlace)
            {
                queue.Leave(place);
            }
        }
    }
}
