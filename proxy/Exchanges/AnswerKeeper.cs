using System.Security.Cryptography;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Exchanges;

/// <summary>Keeps of an origin's answers what may be kept: the head at once or when its body is whole, the body as it comes. Thread-safe.
/// </summary>
internal sealed class AnswerKeeper(
    HeadShelf heads, BodyIntake intake, SharedBodies shared, ProxyCounters counters, TimeProvider time)
{
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
        StoredHead head = heads.Arrived(
            KeptHead.Of(exchange, answer, isPart: false, answer.Length, generation: null) with { BodyId = BodyNames.Of(digest) });
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
    public ExchangeAnswer? Keep(Exchange exchange, HeaderFields ask, FetchedAnswer answer, RangePlan? plan)
    {
        if (exchange.Digest is { } digest && answer.Status == StatusCodes.Status200OK)
        {
            return KeepProved(exchange, ask, answer, digest);
        }

        bool isPart = answer.Status == StatusCodes.Status206PartialContent;
        ContentRange? part = isPart && plan is not null ? PartOf(answer, plan.Value) : null;
        string? generation = Generation.NameOf(exchange, answer.Fields, time.GetUtcNow());
        bool isAll = part is { First: 0, Total: { } total } all && all.Count == total;
        long? length = HasNoBody(answer.Status) ? 0 : isPart ? part?.Total : answer.Length;
        bool isShort = length is null || exchange.Rule.MaxObjectBytes is null || length <= exchange.Rule.MaxObjectBytes;
        if (isPart && (part is null || (generation is null && !isAll) || !isShort || !heads.CanKeep || !Storability.MayStore(
            ask, StatusCodes.Status200OK, answer.Fields, exchange.Rule)))
        {
            return plan is null ? AsAsked(ask, answer) : null;
        }

        bool isWhole = HasNoBody(answer.Status) || answer.HasFramedBody;
        if (!isPart && (!heads.CanKeep || !isShort || !isWhole || !Storability.MayStore(ask, answer.Status, answer.Fields, exchange.Rule)))
        {
            return Live(answer);
        }

        StoredHead head = heads.Arrived(KeptHead.Of(exchange, answer, isPart, length, generation));
        if (length == 0)
        {
            answer.Dispose();
            heads.Put(exchange.Target.Uri, head);
            return Kept(head, null, answer);
        }

        bool isStrong = length is not null && generation is not null;
        if (isStrong)
        {
            heads.Put(exchange.Target.Uri, head);
        }

        bool isOnlyWay = plan is not null && !isPart;
        BodyFeed feed = intake.Start(
            answer, head.BodyId, part?.First ?? 0, part is null ? length : part.Value.Last + 1, isStrong && !isOnlyWay,
            isStrong ? null : whole => heads.Put(exchange.Target.Uri, head with { Length = whole }),
            isOnlyWay: isOnlyWay);
        return Kept(head, feed, answer);
    }

    /// <summary>The part that a 206 carries, if that is all of the planned one: its slices are whole.</summary>
    public static ContentRange? PartOf(FetchedAnswer answer, RangePlan plan) =>
        answer.Status == StatusCodes.Status206PartialContent
        && PartialAnswer.PartOf(plan.Range, answer.Fields.Only("Content-Range"), answer.Length) is { } part
        && PartialAnswer.IsAllOf(plan.Range, part)
            ? part
            : null;

    private static bool HasNoBody(int status) => status is StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent;

    /// <summary>The answer for one client alone.</summary>
    public static ExchangeAnswer Live(FetchedAnswer answer) =>
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

    /// <summary>The answer for one client alone, unless it is another part than that one asked for.</summary>
    public ExchangeAnswer AsAsked(HeaderFields ask, FetchedAnswer answer)
    {
        if (PartialAnswer.FaultOf(ask, answer.Status, answer.Fields, answer.Length) is { } fault)
        {
            return Refuse(answer, fault);
        }

        if (answer.Status == StatusCodes.Status206PartialContent)
        {
            answer.Promise(ContentRange.Parse(answer.Fields.Only("Content-Range"))?.Count);
        }

        return Live(answer);
    }

    /// <summary>The answer is of no use to anybody.</summary>
    public ExchangeAnswer Refuse(FetchedAnswer answer, string what)
    {
        answer.Dispose();
        counters.CountUpstreamFailure(answer.Upstream, FailureKind.BadHead);
        return new ExchangeAnswer { Failure = new UpstreamFailure(FailureKind.BadHead, $"{answer.Upstream} {what}") };
    }
}
