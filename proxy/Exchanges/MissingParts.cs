using Breakwater.CacheStore;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Threading;

namespace Breakwater.Proxy.Exchanges;

/// <summary>Asks an origin for parts of bodies that are missing here. Thread-safe.</summary>
internal sealed class MissingParts(Asker asker, NodeAsker nodes, HeadShelf heads, BodyIntake intake, TimeProvider time)
{
    /// <summary>Fetches of missing parts whose heads have yet to come: one for everybody who misses the same slice.</summary>
    private readonly SingleFlight<ObjectKey, FetchPlace?, BodyFeed?> _fillings = new();

    /// <summary>Those for other nodes wait for no node.</summary>
    private readonly SingleFlight<ObjectKey, FetchPlace?, BodyFeed?> _fillingsForNodes = new();

    /// <summary>Starts a fetch of a part of a body under the validator of the rest, or finds one under way.</summary>
    /// <param name="exchange">Whose request it is for.</param>
    /// <param name="head">The stored answer.</param>
    /// <param name="offset">First byte that is missing.</param>
    /// <param name="end">Offset behind the last byte that is wanted.</param>
    /// <param name="cancellationToken">Ends the wait for the head.</param>
    /// <returns>Null: it cannot be had: there is no strong validator, or the origin has another generation by now, which makes the stored
    /// one useless.</returns>
    public Task<BodyFeed?> FillAsync(Exchange exchange, StoredHead head, long offset, long end, CancellationToken cancellationToken)
    {
        string? validator = Validators.Strong(head.Fields, time.GetUtcNow());
        if (validator is null || head.Length is not { } length || exchange.Digest is not null)
        {
            return Task.FromResult<BodyFeed?>(null);
        }

        long first = offset / BodyFeed.SliceBytes * BodyFeed.SliceBytes;
        long last = Math.Min(length, (Math.Min(end, length) + BodyFeed.SliceBytes - 1) / BodyFeed.SliceBytes * BodyFeed.SliceBytes);
        (_, Task<BodyFeed?> filling) = (exchange.Target.IsForNode ? _fillingsForNodes : _fillings).JoinOrStart(
            BodyFeed.KeyOf(head.BodyId, first / BodyFeed.SliceBytes), place: null,
            () => FillAsync(exchange, head, length, validator, new RangePlan(first, intake.NextPresent(head.BodyId, first, last))), out _);
        return filling.WaitAsync(cancellationToken);
    }

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
            // An origin that knows no ranges: the same body from its beginning, past what is stored.
            return intake.Start(answer, head.BodyId, 0, length, isStrong: false, whenWhole: null);
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
