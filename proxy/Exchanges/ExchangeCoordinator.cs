using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Exchanges;

/// <summary>
/// Decides how a request is answered: from what is stored, by waiting for what others ask, or by asking the origin. Thread-safe.
/// </summary>
internal sealed class ExchangeCoordinator(
    OriginFetch fetch, BodyStarts starts, StoredBodies bodies, HeadShelf heads, FlightTable flights, NodeAsker nodes, ProxyOptions options,
    TimeProvider time)
{
    /// <summary>Gets the answer for one client.</summary>
    /// <param name="exchange">The request.</param>
    /// <param name="content">Its body; null: it has none.</param>
    /// <param name="client">The client has left.</param>
    /// <returns>What to send. What is <see cref="ExchangeAnswer.Live"/> the caller disposes.</returns>
    /// <exception cref="OperationCanceledException">The client has left.</exception>
    public Task<ExchangeAnswer> AnswerAsync(Exchange exchange, Stream? content, CancellationToken client) => exchange.Method switch
    {
        "GET" => GetAsync(exchange, client),
        "HEAD" => HeadAsync(exchange, client),
        _ => fetch.PassAsync(exchange, content, client),
    };

    /// <summary>The way through an answer's body for one client.</summary>
    public BodyReader Read(Exchange exchange, StoredHead head, BodyFeed? feed) => bodies.Read(exchange, head, feed,
        exchange.External is null ? null : (broken, cancel) => SucceedAsync(exchange, broken, cancel));

    private async Task<ExchangeAnswer> GetAsync(Exchange exchange, CancellationToken client)
    {
        string uri = exchange.Target.Uri;
        HeadDocument? document = heads.Find(uri);
        string name = FlightTable.NameOf(uri, document?.Newest, exchange.Fields);
        (StoredHead? stored, BodyFeed? feed) = Find(exchange, document, name);
        if (stored is not null && exchange.Digest is { } digest && !SelfNamed.IsProved(stored, digest))
        {
            (stored, feed) = (null, null);
        }

        if (exchange.IsAnew && !options.Offline)
        {
            (stored, feed) = (null, null);
            name += "\nanew";
        }

        bool isVaryMiss = stored is null && document is { Variants.Count: > 0 };
        if (stored is not null)
        {
            Verdict verdict = Judge(exchange, stored);
            bool mayAsk = verdict != Verdict.Validate && !options.Offline;
            (bool hasStart, BodyFeed? filling) = await starts.FindAsync(exchange, stored, feed, mayAsk, client);
            if (!hasStart)
            {
                heads.Remove(uri, stored);
                stored = null;
            }
            else if (verdict != Verdict.Validate)
            {
                if (verdict == Verdict.StaleWhileRevalidate)
                {
                    Revalidate(exchange, stored, name);
                }

                return new ExchangeAnswer { Head = stored, Feed = filling, Origin = AnswerOrigin.Hit };
            }
        }

        if (options.Offline)
        {
            return new ExchangeAnswer { Failure = UpstreamFailure.NotHeldOffline };
        }

        if (exchange.Directives.Has("only-if-cached"))
        {
            return new ExchangeAnswer { IsOnlyIfCached = true };
        }

        string why = exchange.IsAnew ? "request" : stored is not null ? "stale" : isVaryMiss ? "vary-miss" : "uri-miss";
        return (await AskAsync(exchange, stored, name, nodes.IsFor(exchange), client)) with { Forwarded = why };
    }

    private async Task<ExchangeAnswer> HeadAsync(Exchange exchange, CancellationToken client)
    {
        StoredHead? stored = heads.Find(exchange.Target.Uri)?.Find(exchange.Fields);
        return stored is not null && Judge(exchange, stored) != Verdict.Validate
            ? new ExchangeAnswer { Head = stored, Origin = AnswerOrigin.Hit }
            : exchange.Directives.Has("only-if-cached")
                ? new ExchangeAnswer { IsOnlyIfCached = true }
                : await fetch.HeadAsync(exchange, stored, client);
    }

    /// <summary>
    /// Finds another Stratum 1's file for a client whose answer broke off. Nothing says that both files are the same, so the client gets
    /// the rest of the other one only if all bytes that it has had are the same there: it ends with one file, never with a mixture.
    /// </summary>
    private async Task<(StoredHead Head, BodyFeed? Feed)?> SucceedAsync(Exchange exchange, BodyReader broken, CancellationToken client)
    {
        StoredHead old = broken.Head;
        if (broken.Had.Start == broken.Had.End && Validators.HasAny(old.Fields))
        {
            return null; // no byte is out that could be compared, and the head names a generation that the other file need not have
        }

        string name = $"{exchange.Target.Uri}\nafter {Convert.ToHexString(old.BodyId)}";
        ExchangeAnswer answer = await AskAsync(exchange, stored: null, name, isOfSite: false, client, mayBeHere: false);
        answer.Live?.Dispose();
        if (answer.Head is not { Status: StatusCodes.Status200OK } head || (old.Length is not null && old.Length != head.Length))
        {
            return null;
        }

        if (!head.BodyId.AsSpan().SequenceEqual(old.BodyId)
            && !await bodies.IsSameAsync(exchange, old, broken.LastFeed, head, answer.Feed, broken.Had, client))
        {
            return null;
        }

        return (head, answer.Feed);
    }

    /// <summary>
    /// May the stored answer be used as it is? A body that its URL proves is never used beyond its freshness: not everybody may be allowed
    /// to read it.
    /// </summary>
    private Verdict Judge(Exchange exchange, StoredHead stored)
    {
        if (options.Offline)
        {
            return Verdict.StaleAllowed;
        }

        Verdict verdict = Reuse.Judge(stored, exchange.Fields, exchange.Rule, time.GetUtcNow());
        return exchange.Digest is null || verdict == Verdict.Fresh ? verdict : Verdict.Validate;
    }

    /// <summary>Finds an answer that suits the request: one that is on its way, else the stored one.</summary>
    private (StoredHead? Stored, BodyFeed? Feed) Find(Exchange exchange, HeadDocument? document, string name) =>
        (flights.TryFind(name, out Flight? flight) || flights.TryFind(FlightTable.NameOfSite(name), out flight))
            && flight.Head is { } head && flight.Feed is not { IsBroken: true } && VaryKey.Matches(head, exchange.Fields)
            ? (heads.WithAge(head), flight.Feed)
            : (document?.Find(exchange.Fields), null);

    /// <summary>Asks the origin, or waits for a request that already does.</summary>
    /// <param name="exchange">A GET.</param>
    /// <param name="stored">What is stored and to be checked; null: nothing.</param>
    /// <param name="name">URI and what the answer varies by.</param>
    /// <param name="isOfSite">Nodes are asked first.</param>
    /// <param name="client">The client has left.</param>
    /// <param name="mayBeHere">Is an answer that was stored meanwhile good enough?</param>
    private async Task<ExchangeAnswer> AskAsync(Exchange exchange, StoredHead? stored, string name, bool isOfSite,
        CancellationToken client, bool mayBeHere = true)
    {
        string plain = name;
        name = isOfSite ? FlightTable.NameOfSite(name) : name;
        bool isSuffix = stored is null && RangePlan.IsSuffix(exchange.Fields);
        RangePlan? plan = stored is null ? RangePlan.Of(exchange.Fields) : null;

        // A part cannot be checked against the hash in its URL: unless the whole body is here, it is passed through and not stored.
        bool isUnprovable = exchange.Digest is not null && exchange.Fields.Has("Range");
        if (exchange.MayShare && !isSuffix && !isUnprovable)
        {
            // The first request for a part learns length and validator; with these the others ask for the parts that it leaves out.
            plan = flights.TryFind(name, out _) ? null : plan;
            name = plan is null ? name : FlightTable.NameOfParts(name);
            if (flights.JoinOrStart(name, out bool isNew) is { } flight)
            {
                if (isNew && !(stored is null && mayBeHere && TryEnd(exchange, name, flight)))
                {
                    _ = Task.Run(() => FlyAsync(exchange, stored, plan, name, flight, isOfSite ? plain : null),
                        CancellationToken.None);
                    return await LeadAsync(flight, client);
                }

                ExchangeAnswer answer = await flight.Answer.Task.WaitAsync(client);
                if (await ShareAsync(exchange, answer, client) is { } shared)
                {
                    return shared;
                }
            }
        }

        ExchangeAnswer own = await fetch.AskAsync(exchange, stored, plan: null, isForAll: false, client);
        if (own.Head is not null)
        {
            flights.Unmark(name);
        }

        return own;
    }

    /// <summary>Looks once more after winning the right to ask: an earlier flight may have brought the answer meanwhile.</summary>
    private bool TryEnd(Exchange exchange, string name, Flight flight)
    {
        if (exchange.IsAnew || exchange.Digest is not null
            || heads.Find(exchange.Target.Uri)?.Find(exchange.Fields) is not { } come || Judge(exchange, come) != Verdict.Fresh)
        {
            return false;
        }

        flights.Remove(name, flight);
        return flight.Answer.TrySetResult(new ExchangeAnswer { Head = come, Origin = AnswerOrigin.Hit });
    }

    /// <summary>What this client, which may want another part, gets of another's answer; null: it must ask by itself.</summary>
    private async Task<ExchangeAnswer?> ShareAsync(Exchange exchange, ExchangeAnswer answer, CancellationToken client)
    {
        AnswerOrigin origin = answer.Origin == AnswerOrigin.StaleOnError ? answer.Origin : AnswerOrigin.Joined;
        bool isOfHisPart = answer.Head?.Status == StatusCodes.Status416RangeNotSatisfiable
            || answer.Failure?.Kind == FailureKind.BadHead;
        if (!answer.IsShared || (isOfHisPart && exchange.Fields.Has("Range")))
        {
            return null;
        }

        if (answer.Head is not { } head)
        {
            return answer with { Origin = origin };
        }

        (bool hasStart, BodyFeed? feed) = VaryKey.Matches(head, exchange.Fields)
            ? await starts.FindAsync(exchange, head, answer.Feed, mayAsk: true, client) : default;
        return hasStart ? answer with { Origin = origin, Feed = feed } : null;
    }

    /// <summary>Waits for the answer for the client that began the flight. If it leaves, what was for it alone is disposed.</summary>
    private static async Task<ExchangeAnswer> LeadAsync(Flight flight, CancellationToken client)
    {
        try
        {
            return await flight.Answer.Task.WaitAsync(client);
        }
        catch (OperationCanceledException)
        {
            _ = flight.Answer.Task.ContinueWith(
                static answer => answer.Result.Live?.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion,
                    TaskScheduler.Default);
            throw;
        }
    }

    /// <summary>Checks a stored answer with its origin in the background; one check at a time.</summary>
    private void Revalidate(Exchange exchange, StoredHead stored, string name)
    {
        bool isOfSite = nodes.IsFor(exchange);
        string? plain = isOfSite ? name : null;
        name = isOfSite ? FlightTable.NameOfSite(name) : name;
        if (flights.JoinOrStart(name, out bool isNew) is { } flight && isNew)
        {
            _ = Task.Run(
                async () =>
                {
                    await FlyAsync(exchange, stored, null, name, flight, plain);
                    (await flight.Answer.Task).Live?.Dispose();
                },
                CancellationToken.None);
        }
    }

    /// <param name="exchange">Who asks.</param>
    /// <param name="stored">What is stored and to be checked.</param>
    /// <param name="plan">The part to ask for.</param>
    /// <param name="name">The flight's name.</param>
    /// <param name="flight">The flight.</param>
    /// <param name="plain">The name under which origins are asked, if nodes are asked before them; null: they are not.</param>
    private async Task FlyAsync(Exchange exchange, StoredHead? stored, RangePlan? plan, string name, Flight flight, string? plain)
    {
        ExchangeAnswer answer;
        try
        {
            answer = plain is null ? await fetch.AskAsync(exchange, stored, plan, isForAll: true, CancellationToken.None)
                : await fetch.AskNodesAsync(exchange, stored, plan, CancellationToken.None)
                ?? await AskAsync(exchange, stored, plain, isOfSite: false, CancellationToken.None);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            answer = new ExchangeAnswer { Failure = new UpstreamFailure(FailureKind.NoUpstream, "this proxy is stopping") };
        }
        catch (Exception e)
        {
            flights.Remove(name, flight);
            flight.Answer.TrySetException(e);
            return;
        }

        if (!answer.IsShared)
        {
            flights.Mark(name);
        }

        if (answer.Feed is { } feed && plan is null)
        {
            flight.Feed = feed;
            flight.Head = answer.Head is { } head ? heads.Arrived(head) : null;
            _ = feed.Completion.Task.ContinueWith(_ => flights.Remove(name, flight), TaskScheduler.Default);
        }
        else
        {
            flights.Remove(name, flight);
        }

        flight.Answer.TrySetResult(answer);
    }
}
