using System.Net;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Hits;

/// <summary>
/// Answers hits on the event loops, and lets requests for objects that the store lacks wait there for their fetch. Everything else is left
/// to the pipeline. Only bytes that are in memory are sent, so that no loop waits for a disk. Thread-safe.
/// </summary>
internal sealed class HitResponder(
    Admission admission, Balancers balancers, LoopGuard loops, RepositoryRoutes repositories, ObjectHits objects, DocumentHits documents,
    HitJoins joins, ReadyHits ready, HitLedger ledger, ParserRefusals refusals)
    : IFirstResponder
{
    /// <inheritdoc/>
    public bool Serves(IPAddress client) => admission.AllowsAddress(client);

    /// <inheritdoc/>
    public byte[] RefuseLateHead(IPAddress client) => refusals.RefuseLateHead(client);

    /// <inheritdoc/>
    public byte[] RefuseProxyHeader(IPAddress sender, bool isWanted) => refusals.RefuseProxyHeader(sender, isWanted);

    /// <inheritdoc/>
    public FirstAnswer Respond(in RequestHead head, LoopConnection connection, out LoopAnswer? answer)
    {
        answer = null;
        if (!admission.AllowsAtOnce(connection.Client) || (head.IsForwarded && loops.MayBeLoop(head.Via, head.CdnLoop))
            || (head.HasForwardedFor && balancers.Forwards(connection.Client)))
        {
            return FirstAnswer.ForKestrel;
        }

        long startedAt = ledger.Now;
        RequestTarget target = RequestTarget.Parse(head.Target);
        if (target.Kind == TargetKind.Rejected)
        {
            return ready.Respond(head, connection, startedAt, out answer);
        }

        if (target.Kind is not (TargetKind.Object or TargetKind.Document)
            || !repositories.TryFind(target.Fqrn, out RepositoryRoute? repository))
        {
            return FirstAnswer.ForKestrel;
        }

        bool isObject = target.Kind == TargetKind.Object;
        StoredAnswer stored = StoredAnswer.Take();
        FirstAnswer first = isObject
            ? objects.TrySend(target.Key, head.IsHead, RequestResult.Hit, connection.Descriptor, stored, out long bodyBytes)
            : documents.TrySend(repository, target.Path, head.IsHead, connection.Descriptor, stored, out bodyBytes);
        if (first == FirstAnswer.ForKestrel)
        {
            stored.Return();
            answer = isObject ? joins.TryJoin(head, target, repository, connection, startedAt) : null;
            return answer is null ? FirstAnswer.ForKestrel : FirstAnswer.Answering;
        }

        ledger.CountHit();
        RequestFacts facts = ledger.FactsOf(head, target, repository, connection, startedAt);
        if (isObject || target.Path.SequenceEqual(".cvmfspublished"u8))
        {
            ledger.Observe(facts, repository);
        }

        if (first == FirstAnswer.Sent)
        {
            ledger.RecordSent(facts, RequestResult.Hit, bodyBytes);
            stored.Return();
        }
        else
        {
            stored.Begin(ledger, joins, repository, facts, RequestResult.Hit, upstream: null, bodyBytes);
            answer = stored;
        }

        return first;
    }
}
