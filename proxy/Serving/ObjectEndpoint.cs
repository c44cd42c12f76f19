using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Prefetching;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Serving;

/// <summary>Answers requests for objects: from the store, else from the one fetch that all who ask share.</summary>
internal sealed class ObjectEndpoint(
    IObjectStore store, FetchCoordinator fetches, CopyCheck copyCheck, HeadProbe headProbe, ResponseHeads heads, LookAhead lookAhead,
    ProxyOptions options, TimeProvider time)
{
    /// <summary>Serves one request; the outcome says how it ended.</summary>
    public async Task ServeAsync(HttpContext context, FetchOrder order, RequestOutcome outcome)
    {
        JoinedRequest? joined = await TakeJoinedAsync(context, order.Key);
        ByteRange? range = ByteRange.TryParse(context.Request.Headers.Range, out ByteRange parsed) ? parsed : null;
        if (store.TryOpen(order.Key, out ObjectLease? lease))
        {
            // Who waited for the fetch that has brought it just now is no hit.
            RequestResult result = joined?.Result ?? RequestResult.Hit;
            outcome.Upstream = joined?.Follower.Upstream;
            await (joined?.DisposeAsync() ?? ValueTask.CompletedTask);
            joined = null;
            using (lease)
            {
                if (!WantsCheck(context.Request) || await copyCheck.IsGoodAsync(order.Key, lease, order.Client, context.RequestAborted))
                {
                    await ServeLeaseAsync(context, order, lease, range, outcome, result);
                    return;
                }
            }

            store.Remove(order.Key);
        }

        if (HttpMethods.IsHead(context.Request.Method))
        {
            await (joined?.DisposeAsync() ?? ValueTask.CompletedTask);
            await headProbe.ServeAsync(context, order, outcome);
            return;
        }

        await ServeFetchedAsync(context, order, range, outcome, joined);
    }

    /// <summary>The place in the object's fetch that an event loop has taken for this request; null: it has not.</summary>
    private static async ValueTask<JoinedRequest?> TakeJoinedAsync(HttpContext context, ObjectKey key)
    {
        IAsyncDisposable? work = context.Features.Get<IBegunRequestFeature>()?.TakeWork();
        if (work is JoinedRequest joined && joined.Key == key)
        {
            return joined;
        }

        await (work?.DisposeAsync() ?? ValueTask.CompletedTask);
        return null;
    }

    /// <summary>A client that doubts an object asks with no-cache (protocol.md): our copy is hashed again.</summary>
    private static bool WantsCheck(HttpRequest request) =>
        request.Headers.CacheControl.ToString().Contains("no-cache", StringComparison.OrdinalIgnoreCase)
        || request.Headers.Pragma.ToString().Contains("no-cache", StringComparison.OrdinalIgnoreCase);

    private async Task ServeLeaseAsync(HttpContext context, FetchOrder order, ObjectLease lease, ByteRange? range,
        RequestOutcome outcome, RequestResult result = RequestResult.Hit)
    {
        long promised;
        using (lease)
        {
            outcome.Result = result;
            promised = lease.Length;
            if (!TryPlan(context, promised, range, outcome, out long offset, out long count))
            {
                return;
            }

            try
            {
                await BodyResponder.SendAsync(context, lease, offset, count, outcome);
                return;
            }
            catch (IOException) when (!context.RequestAborted.IsCancellationRequested)
            {
                // Our copy is damaged, the store has forgotten it: the same bytes come from a Stratum 1, from where this response stands.
                store.Remove(order.Key);
            }
        }

        await ResumeAsync(context, order, promised, range, outcome);
    }

    /// <summary>Goes on with a response whose stored copy turned out damaged.</summary>
    private async Task ResumeAsync(HttpContext context, FetchOrder order, long promised, ByteRange? range, RequestOutcome outcome)
    {
        if (!context.Response.HasStarted)
        {
            // Nothing is out: the request is as good as new. Who has lost a copy before does not try the next one.
            context.Response.Clear();
            await ServeFetchedAsync(context, ++outcome.LostCopies > 1 ? order.FromMemory() : order, range, outcome);
            return;
        }

        await using FetchFollower? follower = fetches.JoinOrStart(order.FromMemory()).Follower;
        follower?.PromiseLength(promised);
        long length = context.Response.ContentLength ?? 0;
        long first = range is { } asked && asked.TryResolve(long.MaxValue, out long start, out _) && asked.First >= 0 ? start : 0;
        if (follower is null || (range is not null && range.Value.First < 0)
            || !await BodyResponder.SendAsync(context, follower, first + outcome.BytesSent, length - outcome.BytesSent, outcome))
        {
            context.Abort();
        }
    }

    private async Task ServeFetchedAsync(HttpContext context, FetchOrder order, ByteRange? range, RequestOutcome outcome,
        JoinedRequest? joined = null)
    {
        // The hit path may have joined this request to the fetch: what it waited counts.
        TimeSpan left = options.AnswerTimeout - (joined?.Elapsed ?? TimeSpan.Zero);
        left = left > TimeSpan.Zero ? left : TimeSpan.Zero;
        using var deadline = new CancellationTokenSource(left, time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, context.RequestAborted);
        while (true)
        {
            FetchTicket ticket = joined is null ? fetches.JoinOrStart(order) : new FetchTicket(null, joined.Follower, null);
            if (joined is null && ticket.Follower is { IsLeader: true } && BootClient.MayBoot(context.Request.Headers.UserAgent))
            {
                lookAhead.Missed(order.Repository, order.Key);
            }

            joined = null;
            if (ticket.Lease is { } lease)
            {
                await ServeLeaseAsync(context, order, lease, range, outcome);
                return;
            }

            if (ticket.Failure is { } negative)
            {
                outcome.Result = RequestResult.Negative;
                await heads.WriteFailureAsync(context, negative, outcome);
                return;
            }

            await using FetchFollower follower = ticket.Follower!;
            outcome.Result = follower.IsLeader ? RequestResult.Miss : RequestResult.Joined;
            try
            {
                (FollowState state, range) = await WaitForAnswerAsync(context, follower, range, left / 2, patience.Token);
                outcome.Upstream = follower.Upstream;
                if (state == FollowState.Failed)
                {
                    if (follower.Failure!.Kind == FailureKind.AlreadyStored)
                    {
                        continue;
                    }

                    outcome.Result = RequestResult.Failed;
                    await heads.WriteFailureAsync(context, follower.Failure, outcome);
                    return;
                }
            }
            catch (IOException)
            {
                // The object fetched anew has left memory already; nothing was sent, so this request begins anew, too.
                continue;
            }
            catch (OperationCanceledException) when (deadline.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
            {
                outcome.Result = RequestResult.Failed;
                var late = new UpstreamFailure(FailureKind.Timeout,
                    "no Stratum 1 has delivered it in time; the fetch goes on, so ask again");
                await heads.WriteFailureAsync(context, late, outcome);
                return;
            }

            if (!await ServeFollowerAsync(context, follower, range, outcome))
            {
                context.Abort();
            }

            return;
        }
    }

    /// <summary>
    /// A client of HTTP/1.0 takes the end of the connection for the end of a body without a length: it is told the length.
    /// </summary>
    private static bool MustTellLength(HttpContext context) => HttpProtocol.IsHttp10(context.Request.Protocol);

    /// <summary>
    /// Waits until the head of the answer can be written: the first byte that is asked for is there, and for a range the length. A range
    /// that is too far inside for that is not answered as one: the client gets everything, in time, instead of an error (RFC 9110, 14.2
    /// allows that).
    /// </summary>
    private async ValueTask<(FollowState State, ByteRange? Range)> WaitForAnswerAsync(
        HttpContext context, FetchFollower follower, ByteRange? range, TimeSpan patienceForRange, CancellationToken cancellationToken)
    {
        using var rangeIsLate = new CancellationTokenSource(patienceForRange, time);
        FollowState state = await follower.WaitAsync(0, cancellationToken);
        if (state == FollowState.Readable && follower.Length is null && MustTellLength(context))
        {
            state = await follower.WaitAsync(long.MaxValue - 1, cancellationToken);
            return (state == FollowState.Ended ? await follower.WaitAsync(0, cancellationToken) : state, range);
        }

        if (range is not { } part || state != FollowState.Readable)
        {
            return (state, range);
        }

        long first = long.MaxValue - 1; // a body whose length nobody told: when it is whole
        if (follower.Length is { } length)
        {
            first = part.TryResolve(length, out long offset, out _) ? offset : 0;
            follower.SkipTo(first); // else a body that is kept in memory waits for a reader that needs none of it
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(rangeIsLate.Token, cancellationToken);
        try
        {
            return (await follower.WaitAsync(first, either.Token), range);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && follower.TryRewind())
        {
            return (await follower.WaitAsync(0, cancellationToken), null);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (await follower.WaitAsync(first, cancellationToken), range);
        }
    }

    /// <summary>Sends what a fetch brings. False: it cannot go on, and is to be cut unless nothing is out yet.</summary>
    private async Task<bool> ServeFollowerAsync(HttpContext context, FetchFollower follower, ByteRange? range, RequestOutcome outcome)
    {
        outcome.IsStored = follower.IsToBeStored;
        if (follower.PromiseLength() is not { } length)
        {
            heads.WriteObject(context.Response, outcome, null, null);
            return await BodyResponder.SendAsync(context, follower, 0, long.MaxValue, outcome);
        }

        return !TryPlan(context, length, range, outcome, out long offset, out long count)
            || await BodyResponder.SendAsync(context, follower, offset, count, outcome);
    }

    /// <summary>Writes the head. False: there is no body to send.</summary>
    private bool TryPlan(HttpContext context, long length, ByteRange? range, RequestOutcome outcome, out long offset, out long count)
    {
        offset = 0;
        count = length;
        if (range is { } asked && HttpMethods.IsGet(context.Request.Method))
        {
            if (!asked.TryResolve(length, out offset, out count))
            {
                heads.WriteRangeNotSatisfiable(context.Response, outcome, length);
                return false;
            }

            heads.WriteObject(context.Response, outcome, length, (offset, count));
        }
        else
        {
            heads.WriteObject(context.Response, outcome, length, null);
        }

        return count > 0 && !HttpMethods.IsHead(context.Request.Method);
    }
}
