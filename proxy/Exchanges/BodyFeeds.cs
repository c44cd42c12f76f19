namespace Breakwater.Proxy.Exchanges;

/// <summary>The bodies on their way right now, the parts of them that were asked for, and who wants them. Thread-safe.</summary>
internal sealed class BodyFeeds
{
    /// <summary>A reader waits for a feed that is at most so far behind; of what is missing so much is asked for at a time.</summary>
    public const long NearBytes = 8 * BodySlice.SizeBytes;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<BodyFeed>> _feeds = [];   // guarded by _gate; each entry is a fetch under way
    private readonly Dictionary<string, List<AskedPart>> _asked = [];  // guarded by _gate; each entry is a request under way
    private readonly Dictionary<string, List<BodyInterest>> _wanted = []; // guarded by _gate; each entry is a client's request

    /// <summary>It has begun.</summary>
    public void Add(BodyFeed feed)
    {
        lock (_gate)
        {
            Add(_feeds, feed.BodyId, feed);
        }
    }

    /// <summary>It has ended.</summary>
    public void Remove(BodyFeed feed)
    {
        lock (_gate)
        {
            Remove(_feeds, feed.BodyId, feed);
        }
    }

    /// <summary>A client begins to want a body, from its beginning until <see cref="BodyInterest.Move"/> says where it is.</summary>
    /// <param name="bodyId">Identity of the body.</param>
    /// <param name="end">Offset behind the last byte that it wants.</param>
    public BodyInterest Want(byte[] bodyId, long end = long.MaxValue)
    {
        var interest = new BodyInterest(this, bodyId, end);
        lock (_gate)
        {
            Add(_wanted, bodyId, interest);
        }

        return interest;
    }

    /// <summary>It wants it no longer.</summary>
    public void Leave(BodyInterest interest)
    {
        lock (_gate)
        {
            Remove(_wanted, interest.BodyId, interest);
        }
    }

    /// <summary>Does anybody want what follows on this offset?</summary>
    public bool IsWanted(byte[] bodyId, long offset)
    {
        lock (_gate)
        {
            return Of(_wanted, bodyId).Exists(interest => interest.IsIn(offset));
        }
    }

    /// <summary>
    /// The one that will have this byte first of those that have it or are at most so far behind it; null: there is none.
    /// </summary>
    public BodyFeed? Find(byte[] bodyId, long offset, BodyFeed? besides = null, long nearBytes = NearBytes)
    {
        lock (_gate)
        {
            BodyFeed? nearest = null;
            foreach (BodyFeed feed in Of(_feeds, bodyId))
            {
                if (feed != besides && feed.WillHave(offset, nearBytes) && !(nearest?.Position >= feed.Position))
                {
                    nearest = feed;
                }
            }

            return nearest;
        }
    }

    /// <summary>Was the slice at this offset asked for, and is its head yet to come?</summary>
    public bool IsAsked(byte[] bodyId, long offset)
    {
        lock (_gate)
        {
            return Of(_asked, bodyId).Exists(part => Covers(part, offset));
        }
    }

    /// <summary>
    /// Whoever misses a slice that is on its way, or was asked for, waits for that; else it is asked for: no slice twice at a time.
    /// </summary>
    /// <param name="bodyId">Identity of the body.</param>
    /// <param name="offset">First byte that is missing.</param>
    /// <param name="isForNode">Who asks is another node, and waits only for what waits for no node.</param>
    /// <param name="plan">
    /// The part to ask for; it begins at or before the offset, and its end is known. Null: the slice is stored by now.
    /// </param>
    /// <param name="ask">Asks; null: it cannot be had.</param>
    public Task<BodyFeed?> JoinOrAsk(
        byte[] bodyId, long offset, bool isForNode, Func<RangePlan?> plan, Func<RangePlan, Task<BodyFeed?>> ask)
    {
        lock (_gate)
        {
            if (Find(bodyId, offset) is { } feed)
            {
                return Task.FromResult<BodyFeed?>(feed);
            }

            if (Of(_asked, bodyId).Find(part => part.IsForNode == isForNode && Covers(part, offset)) is { } asked)
            {
                return asked.Coming;
            }

            if (plan() is not { } planned)
            {
                return Task.FromResult<BodyFeed?>(null);
            }

            var coming = new TaskCompletionSource<BodyFeed?>(TaskCreationOptions.RunContinuationsAsynchronously);
            var part = new AskedPart(planned, isForNode, coming.Task);
            Add(_asked, bodyId, part);
            _ = Task.Run(() => AskAsync(bodyId, part, coming, ask), CancellationToken.None);
            return coming.Task;
        }
    }

    /// <summary>Its feed has begun before it counts as asked no longer.</summary>
    private async Task AskAsync(
        byte[] bodyId, AskedPart part, TaskCompletionSource<BodyFeed?> coming, Func<RangePlan, Task<BodyFeed?>> ask)
    {
        Task<BodyFeed?> asking = ask(part.Plan);
        await ((Task)asking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            Remove(_asked, bodyId, part);
        }

        coming.SetFromTask(asking);
    }

    private static bool Covers(AskedPart part, long offset) => offset >= part.Plan.First && offset < part.Plan.End;

    private static List<T> Of<T>(Dictionary<string, List<T>> lists, byte[] bodyId) =>
        lists.TryGetValue(Convert.ToHexString(bodyId), out List<T>? list) ? list : [];

    private static void Add<T>(Dictionary<string, List<T>> lists, byte[] bodyId, T item)
    {
        string name = Convert.ToHexString(bodyId);
        if (!lists.TryGetValue(name, out List<T>? list))
        {
            lists.Add(name, list = []);
        }

        list.Add(item);
    }

    private static void Remove<T>(Dictionary<string, List<T>> lists, byte[] bodyId, T item)
    {
        string name = Convert.ToHexString(bodyId);
        if (lists.TryGetValue(name, out List<T>? list) && list.Remove(item) && list.Count == 0)
        {
            lists.Remove(name);
        }
    }
}
