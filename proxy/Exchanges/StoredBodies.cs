using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Exchanges;

/// <summary>Bodies of stored answers: read through for a client, and compared. Thread-safe.</summary>
internal sealed class StoredBodies(MissingParts parts, BodyFeeds feeds, NamedStore named)
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

    /// <summary>Are the bytes that the client has had of the old body the same in the other one?</summary>
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
