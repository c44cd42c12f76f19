using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Exchanges;

/// <summary>
/// Bodies that are named by their own hash and were proved: one for all hosts. A host must let the client have it before it is released
/// under a URL of that host. Thread-safe.
/// </summary>
internal sealed class SharedBodies(Asker asker, HeadShelf heads, NamedStore named, TimeProvider time)
{
    /// <summary>A body was proved and is stored whole.</summary>
    public void Keep(byte[] digest, byte[] bodyId, long length)
    {
        DateTimeOffset now = time.GetUtcNow();
        heads.Put(SelfNamed.ShelfName(digest), new StoredHead
        {
            Status = StatusCodes.Status200OK,
            Fields = new HeaderFields(),
            RequestedAt = now,
            ReceivedAt = now,
            BodyId = bodyId,
            Length = length,
        });
    }

    /// <summary>Is this the body that was proved?</summary>
    public bool IsKept(byte[] digest, byte[] bodyId) =>
        heads.Find(SelfNamed.ShelfName(digest))?.Newest is { } held && held.BodyId.AsSpan().SequenceEqual(bodyId);

    /// <summary>
    /// Asks the host, with all that the client itself sent, whether it would let it have the body. Null: the body is not here, or the host
    /// did not plainly say yes; ask it for the body then.
    /// </summary>
    public async Task<ExchangeAnswer?> ReleaseAsync(Exchange exchange, byte[] digest, CancellationToken cancellationToken)
    {
        if (Find(digest) is not { Length: { } length } held)
        {
            return null;
        }

        HeaderFields ask = exchange.WithoutConditions();
        ask.Set("Accept-Encoding", "identity");
        (FetchedAnswer? answer, _) =
            await asker.AskAsync(exchange, "HEAD", ask, null, cancellationToken);
        using (answer)
        {
            if (answer is not { Status: StatusCodes.Status200OK } || answer.Length != length || SelfNamed.IsCoded(answer.Fields))
            {
                return null;
            }

            StoredHead head = KeptHead.Of(exchange, answer, isPart: false, length, generation: null) with { BodyId = held.BodyId };
            bool isForAll = !exchange.HasCredentials
                && Storability.MayStore(ask, answer.Status, answer.Fields, exchange.Rule);
            if (isForAll)
            {
                heads.Put(exchange.Target.Uri, head);
            }

            return new ExchangeAnswer
            {
                Head = head,
                Origin = AnswerOrigin.Revalidated,
                ForwardedStatus = answer.Status,
                IsStored = isForAll,
                IsForOne = !isForAll,
                Upstream = answer.Upstream,
            };
        }
    }

    /// <summary>Is the body here, whole and proved?</summary>
    public bool Has(byte[] digest) => Find(digest) is not null;

    private StoredHead? Find(byte[] digest) =>
        heads.Find(SelfNamed.ShelfName(digest))?.Newest is { Length: { } length } held && IsWhole(held.BodyId, length) ? held : null;

    private bool IsWhole(byte[] bodyId, long length)
    {
        for (long at = 0; at < length; at += BodySlice.SizeBytes)
        {
            if (!BodySlice.IsStored(named.Slices, bodyId, at))
            {
                return false;
            }
        }

        return true;
    }
}
