using System.Net;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Hits;

/// <summary>
/// Answers on the event loops what may be answered there: of repositories, and of ordinary HTTP. Everything else is left to the pipeline.
/// Only bytes that are in memory are sent, so that no loop waits for a disk. Thread-safe.
/// </summary>
internal sealed class HitResponder(
    Admission admission, Balancers balancers, LoopGuard loops, RepositoryHits repositories, ReadyHits ready, HitLedger ledger,
    ParserRefusals refusals)
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

        return repositories.Respond(head, target, connection, startedAt, out answer);
    }
}
