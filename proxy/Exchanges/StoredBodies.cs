using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Exchanges;

/// <summary>Bodies of stored answers: what of them is here, on its way, or can be had of their origin. Thread-safe.</summary>
internal sealed class StoredBodies(MissingParts parts, BodyFeeds feeds, NamedStore named, TimeProvider time)
{
    /// <summary>The way through a body for one client; what is missing is asked for.</summary>
    /// <param name="exchange">The client's request.</param>
    /// <param name="head">The answer.</param>
    /// <param name="feed">Its body on its way; null: look for one.</param>
    /// <param name="succeed">Finds another body when this one breaks off; null: nothing can stand in for it.</param>
    public BodyReader Read(Exchange exchange, StoredHead head, BodyFeed? feed,
        Func<BodyReader, CancellationToken, Task<(StoredHead Head, BodyFeed? Feed)?>>? succeed)
    {
        BodyReader reader = null!;
        reader = new BodyReader(
            head, feed, named.Slices, feeds, (offset, end, cancel) => parts.FillAsync(exchange, reader.Head, offset, end, cancel), succeed);
        return reader;
    }

    /// <summary>
    /// Are the first bytes that the client is to get here, on their way, or can be fetched under the validator of the rest?
    /// </summary>
    public async Task<(bool HasStart, BodyFeed? Feed)> HasStartAsync(
        Exchange exchange, StoredHead stored, BodyFeed? feed, bool mayAsk, CancellationToken client)
    {
        AnswerShape shape = AnswerShape.Of(stored, exchange.Fields, time.GetUtcNow());
        if (!shape.HasBody || stored.BodyId.Length == 0)
        {
            return (true, null);
        }

        BodyFeed? behind = mayAsk && feed is not null && stored.Length is not null && IsFarFrom(feed, shape.Offset, stored) ? feed : null;
        feed = behind is not null ? null : feed;
        feed ??= feeds.Find(stored.BodyId, shape.Offset);
        if (feed is not null || FirstMissing(stored, shape) is not { } missing)
        {
            return (true, feed);
        }

        if (!mayAsk || missing < BodyFeed.SliceBytes)
        {
            // From its beginning it is asked for as what was never here.
            return (false, null);
        }

        // Before the first byte is sent: the origin may have another generation by now, and the client would see a body that breaks off.
        feed = await parts.FillAsync(exchange, stored, missing, shape.Offset + shape.Count!.Value, client);
        return behind is not null ? (true, feed ?? behind) : (feed is not null, missing <= shape.Offset ? feed : null);
    }

    /// <summary>
    /// Would a client wait for much that it does not want, though its part can be asked for under the validator of the whole?
    /// </summary>
    private bool IsFarFrom(BodyFeed feed, long offset, StoredHead stored) =>
        offset - feed.Position >= BodyFeeds.NearBytes && Validators.Strong(stored.Fields, time.GetUtcNow()) is not null;

    /// <summary>
    /// Where the first wanted byte is that is neither stored nor on its way: a kill or an eviction may have taken any slice. Null: there is
    /// none.
    /// </summary>
    private long? FirstMissing(StoredHead stored, AnswerShape shape)
    {
        long end = shape.Offset + Math.Max(1, shape.Count ?? 1);
        for (long at = shape.Offset / BodyFeed.SliceBytes * BodyFeed.SliceBytes; at < end; at += BodyFeed.SliceBytes)
        {
            if (!named.Slices.Contains(BodyFeed.KeyOf(stored.BodyId, at / BodyFeed.SliceBytes))
                && feeds.Find(stored.BodyId, Math.Max(at, shape.Offset)) is null)
            {
                return Math.Max(at, shape.Offset);
            }
        }

        return null;
    }

    /// <summary>Has the client had the same bytes of the old body as stand in the other one?</summary>
    public async Task<bool> IsSameAsync(Exchange exchange, StoredHead old, BodyFeed? oldFeed, StoredHead head, BodyFeed? feed,
        (long Start, long End) had, CancellationToken client)
    {
        using var ours = new BodyReader(old, oldFeed, named.Slices, feeds, static (_, _, _) => Task.FromResult<BodyFeed?>(null));
        using var theirs = new BodyReader(head, feed, named.Slices, feeds,
            (offset, end, cancel) => parts.FillAsync(exchange, head, offset, end, cancel));
        byte[] one = new byte[64 << 10];
        byte[] other = new byte[one.Length];
        try
        {
            for (long at = had.Start; at < had.End;)
            {
                int wanted = (int)Math.Min(one.Length, had.End - at);
                int read = await ours.ReadAsync(at, had.End, one.AsMemory(0, wanted), client);
                for (int got = 0; got < read;)
                {
                    int more = await theirs.ReadAsync(at + got, had.End, other.AsMemory(got, read - got), client);
                    if (more == 0 || !one.AsSpan(got, more).SequenceEqual(other.AsSpan(got, more)))
                    {
                        return false;
                    }

                    got += more;
                }

                if (read == 0)
                {
                    return false;
                }

                at += read;
            }

            return true;
        }
        catch (IOException) when (!client.IsCancellationRequested)
        {
            return false;
        }
    }
}
