using System.Security.Cryptography;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Exchanges;

/// <summary>Asks an origin for one URL and keeps what may be kept. Thread-safe.</summary>
internal sealed partial class OriginFetch(OriginAsker asker, NodeAsker nodes, HeadShelf heads, BodyIntake intake, SharedBodies shared,
    ProxyCounters counters, UpstreamPace pace, TimeProvider time)
{
    /// <summary>
    /// A body that its name proves and a mirror could replace waits for its end if it is no longer: a wrong one is never begun.
    /// </summary>
    private const long MostHeldBytes = 16 * BodyFeed.SliceBytes;

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

        for (int left = exchange.Target.Upstreams.Count; ; left--)
        {
            ExchangeAnswer answer = await AskOnceAsync(exchange, stored, plan, isForAll, cancellationToken);
            bool isHeld = exchange.Digest is not null && left > 1 && answer.Feed is { End: <= MostHeldBytes };
            if (!isHeld || await answer.Feed!.Completion.Task.WaitAsync(cancellationToken))
            {
                return answer;
            }
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
            : Keep(exchange, ask, answer, plan) ?? await AskAgainAsync(exchange, answer, cancellationToken);
        if (exchange.Digest is not null && kept.Feed is { End: <= MostHeldBytes } feed
            && !await feed.Completion.Task.WaitAsync(cancellationToken))
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
            exchange.Target, "GET", ask, null, exchange.Client, cancellationToken);
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

        return Keep(exchange, ask, answer, plan) ?? await AskAgainAsync(exchange, answer, cancellationToken);
    }

    /// <summary>
    /// Asks for the head alone. One that differs from what is stored makes that useless; one that agrees renews it (RFC 9111, 4.3.5).
    /// </summary>
    public async Task<ExchangeAnswer> HeadAsync(Exchange exchange, StoredHead? stored, CancellationToken cancellationToken)
    {
        (FetchedAnswer? answer, UpstreamFailure? failure) =
            await asker.AskAsync(exchange.Target, "HEAD", exchange.Fields, null, exchange.Client, cancellationToken);
        if (answer is null)
        {
            return stored is not null && exchange.Digest is null
                && Reuse.MayServeOnError(stored, exchange.Fields, exchange.Rule, time.GetUtcNow())
                ? new ExchangeAnswer { Head = stored, Origin = AnswerOrigin.StaleOnError, Forwarded = "stale" }
                : new ExchangeAnswer { Failure = failure };
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

        return Live(answer) with { Forwarded = stored is null ? "uri-miss" : "stale" };
    }

    /// <summary>Passes another method on. One that may have changed something makes what is stored useless (RFC 9111, 4.4).</summary>
    /// <param name="exchange">The request.</param>
    /// <param name="content">Its body; null: it has none.</param>
    /// <param name="cancellationToken">The client has left.</param>
    public async Task<ExchangeAnswer> PassAsync(Exchange exchange, Stream? content, CancellationToken cancellationToken)
    {
        (FetchedAnswer? answer, UpstreamFailure? failure) =
            await asker.AskAsync(exchange.Target, exchange.Method, exchange.Fields, content, exchange.Client, cancellationToken);
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
        ExchangeAnswer kept = isContent ? Keep(exchange, exchange.Fields, answer, null)! : Live(answer);
        return kept with { Forwarded = "method" };
    }

    /// <summary>An answer for one client alone begins to come.</summary>
    /// <param name="turn">How urgent the rest is.</param>
    public PacedBody Begin(Func<PaceTurn> turn) => pace.Begin(turn);

    /// <summary>Reads of an answer for one client alone.</summary>
    /// <param name="live">The answer.</param>
    /// <param name="paced">From <see cref="Begin"/>.</param>
    /// <param name="buffer">Where the bytes go.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="IOException">It broke off.</exception>
    public async ValueTask<int> ReadAsync(FetchedAnswer live, PacedBody paced, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (live.Node is not null)
        {
            return await live.ReadAsync(buffer, cancellationToken);
        }

        int read = await live.ReadAsync(buffer[..paced.Piece(buffer.Length)], cancellationToken);
        counters.AddUpstreamBytes(read);
        await paced.PayAsync(read, cancellationToken);
        return read;
    }

    private async Task<ExchangeAnswer> OnNotModifiedAsync(
        Exchange exchange, StoredHead? stored, HeaderFields ask, FetchedAnswer answer, bool isForAll, CancellationToken cancellationToken)
    {
        if (stored is null)
        {
            if (ask.Has("If-None-Match") || ask.Has("If-Modified-Since"))
            {
                return Live(answer);
            }

            return Refuse(answer, "sent a 304 that nobody asked for");
        }

        bool isOther = answer.Fields.Only("ETag") is { } tag && stored.Fields.Only("ETag") is { } old && !Validators.AreSameTag(tag, old);
        if (isOther || !Validators.HasAny(stored.Fields))
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
    /// Keeps a body that its URL names by its hash: for all, once it is proved; the head only where the request showed no secret.
    /// </summary>
    private ExchangeAnswer KeepProved(Exchange exchange, HeaderFields ask, FetchedAnswer answer, byte[] digest)
    {
        HeaderFields plain = ask.Copy();
        plain.Remove("Authorization");
        bool isShort = answer.Length is null || exchange.Rule.MaxObjectBytes is null || answer.Length <= exchange.Rule.MaxObjectBytes;
        if (answer.Length == 0 && !SHA256.HashData([]).AsSpan().SequenceEqual(digest))
        {
            return Refuse(answer, "sent nothing for a URL that names bytes");
        }

        if (SelfNamed.IsCoded(answer.Fields) || !answer.HasFramedBody || answer.Length == 0 || !isShort || !heads.CanKeep
            || !Storability.MayStore(plain, answer.Status, answer.Fields, exchange.Rule))
        {
            return Live(answer);
        }

        bool isForOne = exchange.HasCredentials;
        StoredHead head = KeptHead.Of(exchange, answer, isPart: false, answer.Length, validator: null) with
        {
            BodyId = BodyNames.Of(digest),
        };
        BodyFeed feed = intake.Start(answer, head.BodyId, 0, answer.Length, isStrong: false, whole =>
        {
            shared.Keep(digest, head.BodyId, whole);
            if (!isForOne)
            {
                heads.Put(exchange.Target.Uri, head with { Length = whole });
            }
        }, digest);
        return Kept(head, feed, answer) with { IsForOne = isForOne };
    }

    /// <summary>
    /// Keeps what may be kept; null: the answer is no whole and no part that was planned, and must be asked for anew as the client did.
    /// </summary>
    private ExchangeAnswer? Keep(Exchange exchange, HeaderFields ask, FetchedAnswer answer, RangePlan? plan)
    {
        if (exchange.Digest is { } digest && answer.Status == StatusCodes.Status200OK)
        {
            return KeepProved(exchange, ask, answer, digest);
        }

        bool isPart = answer.Status == StatusCodes.Status206PartialContent;
        ContentRange? part = isPart && plan is not null ? PartOf(answer, plan.Value) : null;
        string? validator = Validators.Strong(answer.Fields, time.GetUtcNow());
        if (isPart && (part is null || validator is null || !heads.CanKeep || !Storability.MayStore(
            ask, StatusCodes.Status200OK, answer.Fields, exchange.Rule)))
        {
            return plan is null ? Live(answer) : null;
        }

        long? length = HasNoBody(answer.Status) ? 0 : isPart ? part!.Value.Total : answer.Length;
        bool isShort = length is null || exchange.Rule.MaxObjectBytes is null || length <= exchange.Rule.MaxObjectBytes;
        bool isWhole = HasNoBody(answer.Status) || answer.HasFramedBody;
        if (!isPart && (!heads.CanKeep || !isShort || !isWhole || !Storability.MayStore(ask, answer.Status, answer.Fields, exchange.Rule)))
        {
            return Live(answer);
        }

        StoredHead head = KeptHead.Of(exchange, answer, isPart, length, validator);
        if (length == 0)
        {
            answer.Dispose();
            heads.Put(exchange.Target.Uri, head);
            return Kept(head, null, answer);
        }

        bool isStrong = length is not null && validator is not null;
        if (isStrong)
        {
            heads.Put(exchange.Target.Uri, head);
        }

        BodyFeed feed = intake.Start(
            answer, head.BodyId, part?.First ?? 0, part is null ? length : part.Value.Last + 1, isStrong,
            isStrong ? null : whole => heads.Put(exchange.Target.Uri, head with { Length = whole }));
        return Kept(head, feed, answer);
    }

    /// <summary>The part that was planned came in a way that cannot be kept: the client gets what it asked for itself.</summary>
    private async Task<ExchangeAnswer> AskAgainAsync(Exchange exchange, FetchedAnswer answer, CancellationToken cancellationToken)
    {
        answer.Dispose();
        (FetchedAnswer? own, UpstreamFailure? failure) =
            await asker.AskAsync(exchange.Target, "GET", exchange.Fields, null, exchange.Client, cancellationToken);
        return own is null ? new ExchangeAnswer { Failure = failure } : Live(own);
    }

    private static bool HasNoBody(int status) => status is StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent;

    private static ExchangeAnswer Live(FetchedAnswer answer) =>
        new() { Live = answer, Origin = AnswerOrigin.Fetched, ForwardedStatus = answer.Status, Upstream = answer.Upstream };

    private static ExchangeAnswer Kept(StoredHead head, BodyFeed? feed, FetchedAnswer answer) => new()
    {
        Head = head,
        Feed = feed,
        Origin = AnswerOrigin.Fetched,
        ForwardedStatus = answer.Status,
        IsStored = true,
        Upstream = answer.Upstream,
    };

    private ExchangeAnswer Refuse(FetchedAnswer answer, string what)
    {
        answer.Dispose();
        counters.CountUpstreamFailure(answer.Upstream, FailureKind.BadHead);
        return new ExchangeAnswer { Failure = new UpstreamFailure(FailureKind.BadHead, $"{answer.Upstream} {what}") };
    }
}
