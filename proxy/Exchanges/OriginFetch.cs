using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Requests;

namespace Breakwater.Proxy.Exchanges;

/// <summary>Asks an origin for one URL and keeps what may be kept. Thread-safe.</summary>
internal sealed class OriginFetch(
    Asker asker, NodeAsker nodes, HeadShelf heads, AnswerKeeper keeper, SharedBodies shared, TimeProvider time)
{
    /// <summary>
    /// A body that its name proves and a mirror could replace waits for its end if it is no longer: a wrong one is never begun.
    /// </summary>
    private const long MostHeldBytes = 16 * BodySlice.SizeBytes;

    /// <summary>
    /// So much of an external file waits for its end: another Stratum 1 has it, whatever the first one said of its length.
    /// </summary>
    private const long MostHeldFileBytes = 64 << 10;

    /// <summary>Bodies of an external file that may break off before the client sees one.</summary>
    private const int MostFileTries = 3;

    /// <summary>Longest that an external file's body is held: a client waits for its first byte.</summary>
    private static readonly TimeSpan s_mostHeld = TimeSpan.FromSeconds(1);

    /// <summary>Asks.</summary>
    /// <param name="exchange">A GET.</param>
    /// <param name="stored">What is stored and to be checked; null: nothing.</param>
    /// <param name="plan">The part to ask for; null: the whole, or what the client itself says.</param>
    /// <param name="isForAll">What comes is for everybody who asks, not for this client alone.</param>
    /// <param name="cancellationToken">Ends the wait for the head; a body that is kept comes on.</param>
    public async Task<ExchangeAnswer> AskAsync(
        Exchange exchange, StoredHead? stored, RangePlan? plan, bool isForAll, CancellationToken cancellationToken)
    {
        bool canCheck = stored is not null && Validators.HasAny(stored.Fields);
        if (exchange.Digest is { } digest && !canCheck && await shared.ReleaseAsync(exchange, digest, cancellationToken) is { } released)
        {
            return released;
        }

        for (int left = exchange.External is null ? exchange.Target.Upstreams.Count : MostFileTries; ; left--)
        {
            ExchangeAnswer answer = await AskOnceAsync(exchange, stored, plan, isForAll, cancellationToken);
            if (left <= 1 || answer.Feed is not { } feed || !await BreaksOffAsync(exchange, feed, cancellationToken))
            {
                return answer;
            }
        }
    }

    /// <summary>Is the body one that waits for its end, and does it break off?</summary>
    private async Task<bool> BreaksOffAsync(Exchange exchange, BodyFeed feed, CancellationToken cancellationToken)
    {
        if (exchange.Digest is not null)
        {
            return feed.End <= MostHeldBytes && !await feed.Completion.Task.WaitAsync(cancellationToken);
        }

        if (exchange.External is null || !(feed.End - feed.First <= MostHeldFileBytes))
        {
            return false;
        }

        try
        {
            return !await feed.Completion.Task.WaitAsync(s_mostHeld, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Asks the site's nodes, for everybody. Null: none of them has an answer.</summary>
    /// <inheritdoc cref="AskAsync" path="/param"/>
    public async Task<ExchangeAnswer?> AskNodesAsync(
        Exchange exchange, StoredHead? stored, RangePlan? plan, CancellationToken cancellationToken)
    {
        if (exchange.Digest is { } digest && shared.Has(digest))
        {
            return null; // whose host need only allow it
        }

        HeaderFields ask = FieldsFor(exchange, stored, plan, isForAll: true);
        if (await nodes.AskAsync(exchange, ask, cancellationToken) is not { } answer)
        {
            return null;
        }

        ExchangeAnswer kept = answer.Status == StatusCodes.Status304NotModified
            ? await OnNotModifiedAsync(exchange, stored, ask, answer, isForAll: true, cancellationToken)
            : keeper.Keep(exchange, ask, answer, plan) ?? await AskAgainAsync(exchange, answer, plan, cancellationToken);
        if (kept.Feed is { } feed && await BreaksOffAsync(exchange, feed, cancellationToken))
        {
            nodes.NoteWrong(answer);
            return null;
        }

        return kept;
    }

    /// <summary>What is said to whoever is asked.</summary>
    private static HeaderFields FieldsFor(Exchange exchange, StoredHead? stored, RangePlan? plan, bool isForAll)
    {
        HeaderFields ask = isForAll ? exchange.ForEverybody() : stored is not null ? exchange.WithoutConditions() : exchange.Fields.Copy();
        if (stored is not null)
        {
            KeptHead.AddValidators(ask, stored);
        }
        else if (plan is not null)
        {
            ask.Set("Range", plan.Value.ToString());
        }

        if (exchange.Digest is not null)
        {
            ask.Set("Accept-Encoding", "identity"); // the hash is that of the content itself
        }

        return ask;
    }

    private async Task<ExchangeAnswer> AskOnceAsync(
        Exchange exchange, StoredHead? stored, RangePlan? plan, bool isForAll, CancellationToken cancellationToken)
    {
        HeaderFields ask = FieldsFor(exchange, stored, plan, isForAll);
        (FetchedAnswer? answer, UpstreamFailure? failure) = await asker.AskAsync(
            exchange, "GET", ask, stored, cancellationToken);
        if (failure is { Kind: FailureKind.NotFound or FailureKind.Offline } && stored is not null)
        {
            heads.Remove(exchange.Target.Uri, stored); // all who could have it say that it is gone
            return new ExchangeAnswer { Failure = failure };
        }

        if ((answer is null || answer.Status >= 500) && stored is not null && exchange.Digest is null
            && Reuse.MayServeOnError(stored, exchange.Fields, exchange.Rule, time.GetUtcNow()))
        {
            int? status = answer?.Status;
            answer?.Dispose();
            return new ExchangeAnswer { Head = stored, Origin = AnswerOrigin.StaleOnError, ForwardedStatus = status, Failure = failure };
        }

        if (answer is null)
        {
            return new ExchangeAnswer { Failure = failure };
        }

        if (answer.Status == StatusCodes.Status304NotModified)
        {
            return await OnNotModifiedAsync(exchange, stored, ask, answer, isForAll, cancellationToken);
        }

        return keeper.Keep(exchange, ask, answer, plan) ?? await AskAgainAsync(exchange, answer, plan, cancellationToken);
    }

    /// <summary>
    /// Asks for the head alone. One that differs from what is stored makes that useless; one that agrees renews it (RFC 9111, 4.3.5).
    /// </summary>
    public async Task<ExchangeAnswer> HeadAsync(Exchange exchange, StoredHead? stored, CancellationToken cancellationToken)
    {
        (FetchedAnswer? answer, UpstreamFailure? failure) =
            await asker.AskAsync(exchange, "HEAD", exchange.Fields, stored, cancellationToken);
        if (answer is null)
        {
            return stored is not null && failure!.Kind is not (FailureKind.NotFound or FailureKind.Offline) && exchange.Digest is null
                && Reuse.MayServeOnError(stored, exchange.Fields, exchange.Rule, time.GetUtcNow())
                ? new ExchangeAnswer { Head = stored, Origin = AnswerOrigin.StaleOnError, Forwarded = "stale" }
                : new ExchangeAnswer { Failure = failure };
        }

        if ((answer.Status == StatusCodes.Status304NotModified && !Conditions.AllowNotModified(exchange.Fields))
            || (answer.Status == StatusCodes.Status206PartialContent && !exchange.Fields.Has("Range")))
        {
            return keeper.Refuse(answer, $"sent a {answer.Status} that nobody asked for");
        }

        if (stored is { Status: StatusCodes.Status200OK } && answer.Status is StatusCodes.Status200OK)
        {
            bool isSame = answer.Fields.Only("ETag") == stored.Fields.Only("ETag")
                && answer.Fields.Only("Last-Modified") == stored.Fields.Only("Last-Modified")
                && (answer.Length is null || !answer.Fields.Has("Content-Length") || answer.Length == stored.Length);
            if (!isSame)
            {
                heads.Remove(exchange.Target.Uri, stored);
            }
            else if (MayRenew(exchange, stored) && Storability.MayStore(exchange.Fields, answer.Status, answer.Fields, exchange.Rule))
            {
                heads.Put(exchange.Target.Uri, Freshening.Update(stored, answer.Fields, answer.RequestedAt, answer.ReceivedAt), stored);
            }
        }
        else if (stored is not null && answer.Status is StatusCodes.Status404NotFound or StatusCodes.Status410Gone)
        {
            heads.Remove(exchange.Target.Uri, stored!);
        }

        return AnswerKeeper.Live(answer) with { Forwarded = stored is null ? "uri-miss" : "stale" };
    }

    /// <summary>Passes another method on. One that may have changed something makes what is stored useless (RFC 9111, 4.4).</summary>
    /// <param name="exchange">The request.</param>
    /// <param name="content">Its body; null: it has none.</param>
    /// <param name="cancellationToken">The client has left.</param>
    public async Task<ExchangeAnswer> PassAsync(Exchange exchange, Stream? content, CancellationToken cancellationToken)
    {
        (FetchedAnswer? answer, UpstreamFailure? failure) =
            await asker.PassAsync(exchange, content, cancellationToken);
        if (answer is null)
        {
            return new ExchangeAnswer { Failure = failure };
        }

        if (exchange.Method is not ("OPTIONS" or "TRACE") && answer.Status is >= 200 and < 400)
        {
            foreach (string uri in Invalidation.Of(exchange.Target, answer.Fields))
            {
                heads.Remove(uri);
            }
        }

        // RFC 9110, 9.3.3: what a POST brought may answer a GET if it says that it is what is there, and for how long.
        bool isContent = exchange.Method == "POST" && answer.Status == StatusCodes.Status200OK
            && Freshness.IsStated(answer.Fields, ResponsePolicy.Of(answer.Fields))
                && Invalidation.IsOfItself(exchange.Target, answer.Fields);
        ExchangeAnswer kept = isContent ? keeper.Keep(exchange, exchange.Fields, answer, null)! : AnswerKeeper.Live(answer);
        return kept with { Forwarded = "method" };
    }

    private async Task<ExchangeAnswer> OnNotModifiedAsync(
        Exchange exchange, StoredHead? stored, HeaderFields ask, FetchedAnswer answer, bool isForAll, CancellationToken cancellationToken)
    {
        if (stored is null)
        {
            if (Conditions.AllowNotModified(ask))
            {
                return AnswerKeeper.Live(answer);
            }

            return keeper.Refuse(answer, "sent a 304 that nobody asked for");
        }

        bool isOther = answer.Fields.Only("ETag") is { } tag && stored.Fields.Only("ETag") is { } old && !Validators.AreSameTag(tag, old);
        if (isOther || (exchange.External is not null && !Generation.MayBe(stored, answer.Fields)) || !Validators.HasAny(stored.Fields))
        {
            // It confirms something that is not what is stored (RFC 9111, 4.3.4).
            answer.Dispose();
            heads.Remove(exchange.Target.Uri, stored);
            return await AskAsync(exchange, null, null, isForAll, cancellationToken);
        }

        StoredHead fresh = Freshening.Update(stored, answer.Fields, answer.RequestedAt, answer.ReceivedAt);
        bool mayStay = MayRenew(exchange, stored) && !exchange.Directives.Has("no-store") && !ResponsePolicy.Of(fresh.Fields).NoStore;
        if (mayStay)
        {
            heads.Put(exchange.Target.Uri, fresh, stored);
        }

        answer.Dispose();
        return new ExchangeAnswer
        {
            Head = fresh,
            Origin = AnswerOrigin.Revalidated,
            ForwardedStatus = StatusCodes.Status304NotModified,
            IsStored = mayStay,
            Upstream = answer.Upstream,
        };
    }

    /// <summary>What one client was let have with a secret of his own renews nothing for others; nor is a body renewed before it is proved.
    /// </summary>
    private bool MayRenew(Exchange exchange, StoredHead stored) =>
        exchange.Digest is not { } digest || (!exchange.HasCredentials && shared.IsKept(digest, stored.BodyId));

    /// <summary>
    /// The part that was planned came in a way that cannot be kept: the client gets what it asked for out of it, or by itself.
    /// </summary>
    private async Task<ExchangeAnswer> AskAgainAsync(
        Exchange exchange, FetchedAnswer answer, RangePlan? plan, CancellationToken cancellationToken)
    {
        if (plan is not null && AnswerKeeper.PartOf(answer, plan.Value) is { } part && !Array.Exists(Conditions.Names, exchange.Fields.Has)
            && ByteRange.TryParse(exchange.Fields.Only("Range"), out ByteRange range)
            && range.TryResolve(part.Total!.Value, out long offset, out long count) && offset + count - 1 <= part.Last)
        {
            answer.Narrow(new ContentRange(offset, offset + count - 1, part.Total), offset - part.First);
            return AnswerKeeper.Live(answer);
        }

        answer.Dispose();
        (FetchedAnswer? own, UpstreamFailure? failure) =
            await asker.AskAsync(exchange, "GET", exchange.Fields, null, cancellationToken);
        return own is null ? new ExchangeAnswer { Failure = failure } : keeper.AsAsked(exchange.Fields, own);
    }
}
