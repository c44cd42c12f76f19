using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Exchanges;

/// <summary>
/// Sees to it before an answer's head is sent that the first bytes which the client is to get are here, on their way and near, or asked
/// for. Thread-safe.
/// </summary>
internal sealed class BodyStarts(MissingParts parts, BodyFeeds feeds, BodyIntake intake, TimeProvider time)
{
    /// <summary>
    /// Longest wait for a body under way to come near, rather than ask for a part of it that it brings as well: where another's part
    /// begins it is cut, and what is in the connection by then, up to 10 MB, has come for nothing.
    /// </summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    /// <summary>The same for a file of CernVM-FS, whose clients wait five seconds for anything.</summary>
    private static readonly TimeSpan s_filePatience = TimeSpan.FromSeconds(1);

    /// <summary>By then it is known how fast a body comes.</summary>
    private static readonly TimeSpan s_known = TimeSpan.FromMilliseconds(500);

    /// <summary>How often is looked how far a body is: each of its pieces would wake all who wait.</summary>
    private static readonly TimeSpan s_glance = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// Are the first bytes that the client is to get here, on their way, or can be fetched under the validator of the rest?
    /// </summary>
    /// <param name="exchange">A GET.</param>
    /// <param name="stored">The answer that the client gets.</param>
    /// <param name="feed">Where its body is on its way, as far as is known; null: unknown.</param>
    /// <param name="mayAsk">May the origin be asked for what is missing?</param>
    /// <param name="client">The client has left.</param>
    /// <exception cref="OperationCanceledException">The client has left.</exception>
    public async Task<(bool HasStart, BodyFeed? Feed)> FindAsync(
        Exchange exchange, StoredHead stored, BodyFeed? feed, bool mayAsk, CancellationToken client)
    {
        AnswerShape shape = AnswerShape.Of(stored, exchange.Fields, time.GetUtcNow());
        if (!shape.HasBody || stored.BodyId.Length == 0)
        {
            return (true, null);
        }

        long offset = shape.Offset;
        if (feed is null || offset < feed.First || offset >= feed.End)
        {
            feed = feeds.Find(stored.BodyId, offset, nearBytes: long.MaxValue);
        }

        // Would a client wait for much that it does not want, though its part can be asked for?
        bool isFar = feed is not null && mayAsk && !feed.IsOnlyWay && IsFar(feed, offset) && parts.CanFill(exchange, stored);
        TimeSpan patience = exchange.External is null ? s_patience : s_filePatience;
        isFar = isFar && (intake.IsStored(stored.BodyId, offset) || !await ComesSoonAsync(feed!, offset, patience, client));
        BodyFeed? behind = isFar ? feed : null;
        feed = behind is not null ? null : feed;
        feed ??= feeds.Find(stored.BodyId, offset);
        if (feed is not null || FirstMissing(stored, shape) is not { } missing)
        {
            return (true, feed);
        }

        if (!mayAsk || (missing < BodySlice.SizeBytes && shape.Status != StatusCodes.Status206PartialContent))
        {
            // All of it, from its beginning, is asked for as what was never here.
            return (false, null);
        }

        // Before the first byte is sent: the origin may have another generation by now, and the client would see a body that breaks off.
        feed = await parts.FillAsync(exchange, stored, missing, offset + shape.Count!.Value, client);
        return behind is not null ? (true, feed ?? behind)
            : (feed is not null || intake.IsStored(stored.BodyId, missing), missing <= offset ? feed : null);
    }

    private static bool IsFar(BodyFeed feed, long offset) => offset - feed.Position >= BodyFeeds.NearBytes;

    /// <summary>
    /// Waits while the body comes so fast that it will be near in time. The faster counts of its speed from its beginning, which is slow,
    /// and while it is looked at.
    /// </summary>
    private async Task<bool> ComesSoonAsync(BodyFeed feed, long offset, TimeSpan patience, CancellationToken client)
    {
        using BodyInterest interest = feeds.Want(feed.BodyId);
        (long since, long position) = (time.GetTimestamp(), feed.Position);
        while (IsFar(feed, offset))
        {
            TimeSpan taken = time.GetElapsedTime(feed.StartedAt);
            TimeSpan waited = time.GetElapsedTime(since);
            double speed = Math.Max(Speed(feed.Position - feed.First, taken), Speed(feed.Position - position, waited));
            double left = (offset - BodyFeeds.NearBytes - feed.Position) / Math.Max(1, speed);
            if (feed.Completion.Task.IsCompleted || (taken >= s_known && waited.TotalSeconds + left > patience.TotalSeconds))
            {
                return false;
            }

            await Task.WhenAny(feed.Completion.Task, Task.Delay(s_glance, time, client));
            client.ThrowIfCancellationRequested();
        }

        return true;
    }

    private static double Speed(long bytes, TimeSpan taken) => bytes / Math.Max(0.001, taken.TotalSeconds);

    /// <summary>
    /// Where the first wanted byte is that is neither stored nor on its way: a kill or an eviction may have taken any slice. The first one
    /// must be near; another may be far behind what comes. Null: there is none.
    /// </summary>
    private long? FirstMissing(StoredHead stored, AnswerShape shape)
    {
        long end = shape.Offset + Math.Max(1, shape.Count ?? 1);
        for (long at = BodySlice.StartOf(shape.Offset); at < end; at += BodySlice.SizeBytes)
        {
            long near = at <= shape.Offset ? BodyFeeds.NearBytes : long.MaxValue;
            if (!intake.IsStored(stored.BodyId, at) && feeds.Find(stored.BodyId, Math.Max(at, shape.Offset), nearBytes: near) is null)
            {
                return Math.Max(at, shape.Offset);
            }
        }

        return null;
    }
}
