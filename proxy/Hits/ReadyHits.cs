using System.Buffers.Text;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Hits;

/// <summary>
/// Answers plain GETs of ordinary HTTP as the ordinary way has answered the same question before (<see cref="ReadyAnswers"/>). Everything
/// else is left to that. Thread-safe.
/// </summary>
internal sealed class ReadyHits(ReadyAnswers answers, ObjectHits objects, HitLedger ledger, TimeProvider time)
{
    /// <summary>Two numbers of 64 bits go into a head.</summary>
    private const int MaxHeadBytes = ReadyHead.MaxBytes + 40;

    /// <summary>Answers it, or leaves it to Kestrel.</summary>
    /// <param name="head">A request that is no CernVM-FS.</param>
    /// <param name="connection">Where it came from.</param>
    /// <param name="startedAt">When its head was here.</param>
    /// <param name="answer">The answer under way.</param>
    public FirstAnswer Respond(in RequestHead head, LoopConnection connection, long startedAt, out LoopAnswer? answer)
    {
        answer = null;
        DateTimeOffset now = time.GetUtcNow();
        if (head.IsHead || answers.Find(head.Target, head.Host, now) is not { } ready || !PlainRequest.Is(head.FieldLines, ready.Varying))
        {
            return FirstAnswer.ForKestrel;
        }

        StoredAnswer stored = StoredAnswer.TakeOfSlices();
        FirstAnswer first = TrySend(ready, now, connection.Descriptor, stored, out long bodyBytes);
        if (first == FirstAnswer.ForKestrel)
        {
            stored.Return();
            return first;
        }

        ledger.CountHit();
        RequestFacts facts = ledger.FactsOf(head, ready, connection, startedAt);
        if (first == FirstAnswer.Sent)
        {
            ledger.RecordSent(facts, RequestResult.Hit, bodyBytes, ready.Upstream);
            stored.Return();
        }
        else
        {
            stored.Begin(ledger, joins: null, repository: null, facts, RequestResult.Hit, ready.Upstream, bodyBytes);
            answer = stored;
        }

        return first;
    }

    private FirstAnswer TrySend(ReadyAnswer ready, DateTimeOffset now, int socket, StoredAnswer answer, out long bodyBytes)
    {
        bodyBytes = 0;
        if (!answers.Slices.TryReopen(ready.Slice, ref answer.Lease))
        {
            return FirstAnswer.ForKestrel;
        }

        if (answer.Lease.Length != ready.Length)
        {
            // The slice of a fetch that ended early, under the name of this body.
            answer.Lease.Dispose();
            return FirstAnswer.ForKestrel;
        }

        Span<byte> head = stackalloc byte[MaxHeadBytes];
        return LeaseSend.TrySend(
            answer, head[..WriteHead(head, ready, now)], hasBody: true, objects.Resident, socket, out bodyBytes);
    }

    private static int WriteHead(Span<byte> head, ReadyAnswer ready, DateTimeOffset now)
    {
        TimeSpan age = ready.Age(now);
        int at = Append(head, 0, ready.Head.BeforeAge);
        at = Append(head, at, (long)age.TotalSeconds);
        at = Append(head, at, ready.Head.BeforeTtl);
        at = Append(head, at, Freshness.SecondsLeft(ready.Lifetime, age));
        return Append(head, at, ready.Head.AfterTtl);
    }

    private static int Append(Span<byte> head, int at, byte[] text)
    {
        text.CopyTo(head[at..]);
        return at + text.Length;
    }

    private static int Append(Span<byte> head, int at, long number)
    {
        Utf8Formatter.TryFormat(number, head[at..], out int written);
        return at + written;
    }
}
