using System.Security.Cryptography;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Exchanges;

/// <summary>
/// Takes bodies from origins into the store, each at the origin's pace and for whoever reads it. Belongs to no client. Thread-safe.
/// </summary>
internal sealed partial class BodyIntake(NamedStore named, BodyFeeds feeds, ProxyCounters counters, UpstreamPace pace, GivingWay way,
    TimeProvider time, ILogger<BodyIntake> log) : IDisposable
{
    /// <summary>What is left of a body that nobody reads any more is fetched to its end if it is no more than this.</summary>
    private const long RestBytes = 64L << 20;

    /// <summary>By then whoever wants to read has begun.</summary>
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Starts to take a body.</summary>
    /// <param name="answer">Its head was read; is disposed at the end.</param>
    /// <param name="bodyId">Identity of the whole body.</param>
    /// <param name="first">Offset of its first byte in the whole; at the start of a slice.</param>
    /// <param name="end">Offset behind its last byte; null: not known.</param>
    /// <param name="isStrong">Parts of it may come from elsewhere: it ends where they begin.</param>
    /// <param name="whenWhole">Is called with the length when all of it has come and is stored; null: nobody.</param>
    /// <param name="digest">The SHA-256 that its bytes must have before its last one is anybody's; null: nothing proves it.</param>
    /// <param name="isOnlyWay">See <see cref="BodyFeed.IsOnlyWay"/>.</param>
    public BodyFeed Start(FetchedAnswer answer, byte[] bodyId, long first, long? end, bool isStrong, Action<long>? whenWhole,
        byte[]? digest = null, bool isOnlyWay = false)
    {
        var feed = new BodyFeed(bodyId, first, end, named.Slices, time) { IsOnlyWay = isOnlyWay };
        feeds.Add(feed);
        _ = Task.Run(() => TakeAsync(answer, feed, isStrong, whenWhole, digest), CancellationToken.None);
        return feed;
    }

    /// <summary>
    /// The offset of the first slice behind this one that is stored, asked for or on its way; <paramref name="end"/>: there is none before
    /// it.
    /// </summary>
    public long NextPresent(byte[] bodyId, long first, long end)
    {
        long next = first + BodySlice.SizeBytes;
        while (next < end && !IsPresent(bodyId, next, null) && !feeds.IsAsked(bodyId, next))
        {
            next += BodySlice.SizeBytes;
        }

        return Math.Min(next, end);
    }

    /// <summary>Is the slice at this offset stored?</summary>
    public bool IsStored(byte[] bodyId, long offset) => BodySlice.IsStored(named.Slices, bodyId, offset);

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    private async Task TakeAsync(FetchedAnswer answer, BodyFeed feed, bool isStrong, Action<long>? whenWhole, byte[]? digest)
    {
        using IncrementalHash? hash = digest is null ? null : IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long since = time.GetTimestamp();
        PacedBody paced = pace.Begin(() => feed.HasBeenRead && !IsWanted(feed) ? PaceTurn.Idle
            : feed.Position == feed.First ? PaceTurn.First : PaceTurn.More);
        try
        {
            CancellationToken stopping = _stopping.Token;
            while (feed.End is null || feed.Position < feed.End)
            {
                bool isAtSlice = feed.Position > feed.First && feed.Position % BodySlice.SizeBytes == 0;
                if (isAtSlice && isStrong && IsPresent(feed.BodyId, feed.Position, feed))
                {
                    await feed.EndAsync(null, stopping);
                    return;
                }

                if (isAtSlice && IsAbandoned(feed, since))
                {
                    await feed.AbandonAsync(stopping);
                    return;
                }

                Memory<byte> room = await feed.RoomAsync(stopping);
                int read = await answer.ReadAsync(answer.Node is null ? room[..paced.Piece(room.Length)] : room, stopping);
                if (read == 0)
                {
                    if (feed.End is not null)
                    {
                        throw new IOException($"{answer.Upstream} sent less than it promised");
                    }

                    break;
                }

                if (answer.Node is null)
                {
                    counters.AddUpstreamBytes(read);
                    await paced.PayAsync(read, stopping);
                    if (answer.GivesWay && feed.Position - feed.First >= BodySlice.SizeBytes)
                    {
                        await way.PayAsync(read, stopping);
                    }
                }

                hash?.AppendData(room.Span[..read]);
                if (feed.Position + read == feed.End)
                {
                    await EndAsWrittenAsync(answer, stopping);
                    Prove(answer, hash, digest);
                    if (hash is not null)
                    {
                        feed.AdvanceLast(read);
                        break;
                    }
                }

                feed.Advance(read);
            }

            if (feed.End is null)
            {
                Prove(answer, hash, digest);
            }

            await feed.EndAsync(whenWhole, stopping);

            // What ends a chunked body is read as well, so that the connection can serve again.
            byte[] nothing = new byte[1];
            _ = await answer.ReadAsync(nothing, stopping);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            if (e is IOException)
            {
                answer.NoteBroken(e.Message);
            }

            LogBroken(log, answer.Upstream, e.Message);
        }
        catch (Exception e)
        {
            LogFault(log, e);
        }
        finally
        {
            feed.Break();
            feeds.Remove(feed);
            answer.Dispose();
        }
    }

    /// <summary>A part in chunks may be longer than its Content-Range says: then that lies, and nobody has its last bytes.</summary>
    private static async ValueTask EndAsWrittenAsync(FetchedAnswer answer, CancellationToken cancellationToken)
    {
        if (answer.Length is null && await answer.ReadAsync(new byte[1], cancellationToken) > 0)
        {
            throw new IOException($"{answer.Upstream} sent more than it promised");
        }
    }

    /// <summary>The last bytes of a body are nobody's before all of them are known to be those of its name.</summary>
    private void Prove(FetchedAnswer answer, IncrementalHash? hash, byte[]? digest)
    {
        if (hash is not null && !hash.GetHashAndReset().AsSpan().SequenceEqual(digest))
        {
            counters.CountUpstreamFailure(answer.Upstream, FailureKind.WrongBytes);
            throw new IOException($"{answer.Upstream} sent other bytes than the URL names");
        }
    }

    private bool IsPresent(byte[] bodyId, long offset, BodyFeed? besides) =>
        IsStored(bodyId, offset) || feeds.Find(bodyId, offset, besides, nearBytes: 1) is not null;

    private bool IsAbandoned(BodyFeed feed, long since) =>
        (feed.HasBeenRead || time.GetElapsedTime(since) > s_grace)
            && (feed.End ?? long.MaxValue) - feed.Position > RestBytes
            && (feed.End is not null || feed.Position > RestBytes) && !IsWanted(feed);

    private bool IsWanted(BodyFeed feed) => feeds.IsWanted(feed.BodyId, feed.Position);

    [LoggerMessage(Level = LogLevel.Debug, Message = "A body from {Upstream} did not come to its end: {Why}")]
    private static partial void LogBroken(ILogger log, string upstream, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "A body could not be taken in: a fault of the proxy itself")]
    private static partial void LogFault(ILogger log, Exception fault);
}
