using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Hits;

/// <summary>
/// Answers hits of repositories, and lets requests for objects that the store lacks wait for their fetch. Everything else is left to the
/// pipeline. Thread-safe.
/// </summary>
internal sealed class RepositoryHits(
    RepositoryRoutes routes, ObjectHits objects, DocumentHits documents, HitJoins joins, HitLedger ledger)
{
    /// <summary>Answers it, or leaves it to Kestrel.</summary>
    /// <param name="head">The request.</param>
    /// <param name="target">What it asks for.</param>
    /// <param name="connection">Where it came from.</param>
    /// <param name="startedAt">When its head was here.</param>
    /// <param name="answer">The answer under way.</param>
    public FirstAnswer Respond(
        in RequestHead head, in RequestTarget target, LoopConnection connection, long startedAt, out LoopAnswer? answer)
    {
        answer = null;
        if (target.Kind is not (TargetKind.Object or TargetKind.Document)
            || !routes.TryFind(target.Fqrn, out RepositoryRoute? repository))
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
