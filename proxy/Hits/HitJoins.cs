using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Prefetching;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Hits;

/// <summary>Joins requests on the event loops to the fetches of their objects. Thread-safe.</summary>
internal sealed class HitJoins(
    Admission admission, ObjectHits objects, FetchCoordinator fetches, LookAhead lookAhead, HeadEncoder heads, HitLedger ledger,
    TimeProvider time)
{
    /// <summary>Joins a plain GET of an object that the store lacks to its fetch. Null: the request is left to the pipeline.</summary>
    public WaitingAnswer? TryJoin(in RequestHead head, in RequestTarget target, RepositoryRoute repository, LoopConnection connection,
        long startedAt)
    {
        // A span of the request's own is the ordinary path's, and so is what must be asked on with the proxies that it came through.
        if (head.IsHead || head.IsForwarded || !connection.MayWait || Telemetry.Spans.HasListeners() || objects.Contains(target.Key))
        {
            return null;
        }

        RequestFacts facts = ledger.FactsOf(head, target, repository, connection, startedAt);
        ledger.Observe(facts, repository);
        string? hint = target.Authority.Length == 0 ? null : Encoding.ASCII.GetString(target.Authority);
        FetchTicket ticket = fetches.JoinOrStart(
            FetchOrder.Of(target.Key, repository, Encoding.ASCII.GetString(target.Path), hint, connection.Client));
        ticket.Lease?.Dispose();
        if (ticket.Follower is not { } follower)
        {
            return null;
        }

        if (follower.IsLeader && facts.Connection is not null)
        {
            lookAhead.Missed(repository, target.Key);
        }

        return new WaitingAnswer(this, facts, repository, new JoinedRequest(target.Key, follower, startedAt, time));
    }

    /// <summary>May a request that has waited still be answered on the loops?</summary>
    public bool MayAnswer(in RequestFacts facts) => admission.AllowsAtOnce(facts.Client!);

    /// <summary>Answers a request that has waited from the store.</summary>
    /// <returns>As <see cref="ObjectHits.TrySend"/>; after <see cref="FirstAnswer.Answering"/> the answer goes on by itself.</returns>
    public FirstAnswer TrySendStored(
        in RequestFacts facts, RepositoryRoute repository, JoinedRequest joined, int socket, StoredAnswer stored, out long bodyBytes)
    {
        FirstAnswer first = objects.TrySend(joined.Key, isHead: false, joined.Result, socket, stored, out bodyBytes);
        if (first == FirstAnswer.Answering)
        {
            stored.Begin(ledger, this, repository, facts, joined.Result, joined.Follower.Upstream, bodyBytes);
        }

        return first;
    }

    /// <summary>
    /// Begins the answer of a request whose object is known to take long: what is there goes out before the rest has come. Null: it does
    /// not, or cannot be told. The follower passes over.
    /// </summary>
    public GrowingAnswer? TryStream(in RequestFacts facts, JoinedRequest joined)
    {
        FetchFollower follower = joined.Follower;

        // Looked at first: it may move the follower to another body, whose length is then the one to promise.
        if (!IsReadable(follower) || follower.Length is not (> 0 and <= ObjectHits.MaxObjectBytes)
            || follower.PromiseLength() is not { } length)
        {
            return null;
        }

        Span<byte> head = stackalloc byte[HeadEncoder.MaxBytes];
        int headBytes = heads.WriteObject(head, length, joined.Result, follower.IsToBeStored);
        return new GrowingAnswer(ledger, facts, follower, head[..headBytes].ToArray(), length, objects.Resident, ledger.Now);
    }

    /// <summary>
    /// The stored copy of an answer under way is gone or damaged: the same bytes come from a Stratum 1, from where the answer stands, or
    /// from another stored copy. Neither: it must be cut.
    /// </summary>
    /// <param name="facts">The request.</param>
    /// <param name="repository">The repository under which it was asked for.</param>
    /// <param name="length">The object's length, as the head told it.</param>
    /// <param name="sent">Body bytes that are out.</param>
    /// <param name="answeredAt">When the head went out.</param>
    /// <param name="again">A copy that was stored since; the caller's to dispose.</param>
    public GrowingAnswer? TryResume(
        in RequestFacts facts, RepositoryRoute repository, long length, long sent, long answeredAt, out ObjectLease? again)
    {
        ObjectKey key = facts.Key!.Value;
        FetchTicket ticket = fetches.JoinOrStart(FetchOrder.Of(key, repository, key.ToPath(), null, facts.Client));
        again = ticket.Lease;
        if (ticket.Follower is not { } follower)
        {
            return null;
        }

        follower.PromiseLength(length);
        follower.SkipTo(sent);
        return new GrowingAnswer(ledger, facts, follower, [], length, objects.Resident, answeredAt, sent);
    }

    /// <summary>A request that has waited was answered from the store at once.</summary>
    public void RecordSent(in RequestFacts facts, JoinedRequest joined, long bytesSent) =>
        ledger.RecordSent(facts, joined.Result, bytesSent, joined.Follower.Upstream);

    /// <summary>A request that has waited ended before it had an answer.</summary>
    public void RecordUnanswered(in RequestFacts facts, JoinedRequest joined) => ledger.RecordUnanswered(facts, joined.Follower.Upstream);

    private static bool IsReadable(FetchFollower follower)
    {
        try
        {
            return follower.Look(0) == FollowState.Readable;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
