using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Exchanges;

/// <summary>Asks an origin for parts of bodies that are missing here. Thread-safe.</summary>
internal sealed class MissingParts(Asker asker, NodeAsker nodes, HeadShelf heads, BodyIntake intake, BodyFeeds feeds, TimeProvider time)
{
    /// <summary>Guards that no two wholes of one body begin at a time for want of parts.</summary>
    private readonly Lock _wholes = new();

    /// <summary>Can a part be asked for under the validator of the whole?</summary>
    public bool CanFill(Exchange exchange, StoredHead head) => ValidatorOf(exchange, head) is not null;

    /// <summary>
    /// Starts a fetch of a part of a body under the validator of the rest, or finds one under way. It ends where others have or fetch the
    /// rest, and after <see cref="BodyFeeds.NearBytes"/>: a longer one would be cut where other clients' parts begin, and what of it was in
    /// the connection by then would have come for nothing.
    /// </summary>
    /// <param name="exchange">Whose request it is for.</param>
    /// <param name="head">The stored answer.</param>
    /// <param name="offset">First byte that is missing.</param>
    /// <param name="end">Offset behind the last byte that is wanted.</param>
    /// <param name="cancellationToken">Ends the wait for the head.</param>
    /// <returns>Null: it cannot be had: there is no strong validator, or the origin has another generation by now, which makes the stored
    /// one useless.</returns>
    public Task<BodyFeed?> FillAsync(Exchange exchange, StoredHead head, long offset, long end, CancellationToken cancellationToken)
    {
        if (ValidatorOf(exchange, head) is not { } validator || head.Length is not { } length)
        {
            return Task.FromResult<BodyFeed?>(null);
        }

        long first = BodySlice.StartOf(offset);
        long last = BodySlice.StartOf(Math.Min(end, first + BodyFeeds.NearBytes) + BodySlice.SizeBytes - 1);
        return feeds.JoinOrAsk(head.BodyId, offset, exchange.Target.IsForNode,
            () => intake.IsStored(head.BodyId, first) ? null
                : new RangePlan(first, intake.NextPresent(head.BodyId, first, Math.Min(last, length))),
            plan => FillAsync(exchange, head, length, validator, plan))
            .WaitAsync(cancellationToken);
    }

    private string? ValidatorOf(Exchange exchange, StoredHead head) =>
        exchange.Digest is null && head.Length is not null ? Validators.Strong(head.Fields, time.GetUtcNow()) : null;

    private async Task<BodyFeed?> FillAsync(Exchange exchange, StoredHead head, long length, string validator, RangePlan plan)
    {
        HeaderFields ask = exchange.WithoutConditions();
        ask.Set("Range", plan.ToString());
        ask.Set("If-Range", validator);
        FetchedAnswer? answer = nodes.IsFor(exchange) ? await nodes.AskAsync(exchange, ask, CancellationToken.None) : null;
        UpstreamFailure? failure = null;
        if (answer is null)
        {
            (answer, failure) = await asker.AskAsync(exchange, "GET", ask, head, CancellationToken.None);
        }

        if (answer is null)
        {
            if (failure!.Kind == FailureKind.NotFound)
            {
                heads.Remove(exchange.Target.Uri, head);
            }

            return null;
        }

        if (AnswerKeeper.PartOf(answer, plan) is { } part && part.Total == length
            && Validators.Strong(answer.Fields, time.GetUtcNow()) == validator)
        {
            return intake.Start(answer, head.BodyId, part.First, part.Last + 1, isStrong: true, whenWhole: null);
        }

        if (answer.Status == StatusCodes.Status200OK && answer.HasFramedBody && answer.Length == length
            && Validators.Strong(answer.Fields, time.GetUtcNow()) == validator)
        {
            // An origin that knows no ranges: the same body from its beginning, past what is stored; one for all.
            lock (_wholes)
            {
                if (feeds.Find(head.BodyId, plan.First, nearBytes: long.MaxValue) is not { } coming)
                {
                    return intake.Start(answer, head.BodyId, 0, length, isStrong: false, whenWhole: null, isOnlyWay: true);
                }

                answer.Dispose();
                coming.IsOnlyWay = true;
                return coming;
            }
        }

        bool isAnother = answer.Status < 500;
        answer.Dispose();
        if (isAnother)
        {
            heads.Remove(exchange.Target.Uri, head);
        }

        return null;
    }
}
