using System.Globalization;
using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Serving;

namespace Breakwater.Proxy.Cluster;

/// <summary>
/// Objects for other nodes: from the store, else from a fetch that asks no node again. The head goes out soon, as a sign of life; a
/// failure is a status before it and a cut connection after it, so that nothing wrong is ever complete.
/// </summary>
internal sealed class NodeObjects(IObjectStore store, FetchCoordinator fetches, TimeProvider time)
{
    /// <summary>Within this time the length is usually known; a node is waited for 1 s.</summary>
    private static readonly TimeSpan s_signOfLife = TimeSpan.FromMilliseconds(300);

    /// <summary>Serves one request; how, in a word.</summary>
    public async Task<string> ServeAsync(HttpContext context, FetchOrder order)
    {
        while (true)
        {
            if (store.TryOpen(order.Key, out ObjectLease? lease))
            {
                using (lease)
                {
                    return await ServeAsync(context, order, lease);
                }
            }

            if (context.Request.Headers.CacheControl.ToString().Contains("only-if-cached", StringComparison.OrdinalIgnoreCase))
            {
                await using FetchFollower? coming = fetches.TryJoinUpstream(order);
                if (coming is not null && await ServeAsync(context, coming, mayWait: false) is { } held)
                {
                    return held;
                }

                if (coming is not null && store.Contains(order.Key))
                {
                    continue;
                }

                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return "not-held";
            }

            FetchTicket ticket = fetches.JoinOrStart(order);
            ticket.Lease?.Dispose();
            if (ticket.Lease is not null)
            {
                continue;
            }

            if (ticket.Follower is not { } follower)
            {
                context.Response.StatusCode = StatusOf(ticket.Failure!);
                return "failed";
            }

            await using (follower)
            {
                if (await ServeAsync(context, follower, mayWait: true) is { } result)
                {
                    return result;
                }
            }
        }
    }

    private static int StatusOf(UpstreamFailure failure) =>
        failure.Kind == FailureKind.NotFound ? StatusCodes.Status404NotFound : NodeWay.CouldNotGet;

    private async Task<string> ServeAsync(HttpContext context, FetchOrder order, ObjectLease lease)
    {
        (long offset, long count) = (0, lease.Length);
        if (ByteRange.TryParse(context.Request.Headers.Range, out ByteRange range)
            && range.TryResolve(lease.Length, out long first, out long part) && first > 0)
        {
            (offset, count) = (first, part);
            context.Response.StatusCode = StatusCodes.Status206PartialContent;
            context.Response.Headers.ContentRange =
                string.Create(CultureInfo.InvariantCulture, $"bytes {offset}-{offset + count - 1}/{lease.Length}");
        }

        WriteHead(context, count);
        try
        {
            await BodyResponder.SendAsync(context, lease, offset, count, new RequestOutcome());
            return "hit";
        }
        catch (IOException) when (!context.RequestAborted.IsCancellationRequested)
        {
            store.Remove(order.Key);
            context.Abort();
            return "failed";
        }
    }

    /// <summary>Null: look in the store again.</summary>
    /// <param name="context">The request.</param>
    /// <param name="follower">Its part in the fetch.</param>
    /// <param name="mayWait">
    /// Is the head a sign of life where there is nothing else yet? Else null: who asks for what is held has no patience.
    /// </param>
    private async Task<string?> ServeAsync(HttpContext context, FetchFollower follower, bool mayWait)
    {
        follower.ForNode();
        try
        {
            FollowState? first = await FirstStateAsync(follower, context.RequestAborted);
            if (first is null && !mayWait)
            {
                return null;
            }

            if (first == FollowState.Failed)
            {
                if (follower.Failure!.Kind == FailureKind.AlreadyStored)
                {
                    return null;
                }

                context.Response.StatusCode = StatusOf(follower.Failure);
                return "failed";
            }
        }
        catch (IOException)
        {
            return null; // fetched anew meanwhile
        }

        long? length = follower.PromiseLength();
        WriteHead(context, length);
        if (!await BodyResponder.SendAsync(context, follower, 0, length ?? long.MaxValue, new RequestOutcome()))
        {
            context.Abort();
            return "failed";
        }

        return follower.IsLeader ? "miss" : "joined";
    }

    /// <summary>What there is before it is time for a sign of life; null: nothing yet.</summary>
    private async Task<FollowState?> FirstStateAsync(FetchFollower follower, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(s_signOfLife, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            return await follower.WaitAsync(0, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private static void WriteHead(HttpContext context, long? length)
    {
        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = length;
    }
}
