namespace Breakwater.Proxy.Exchanges;

/// <summary>The bodies on their way right now. Thread-safe.</summary>
internal sealed class BodyFeeds
{
    /// <summary>A reader waits for a feed that is at most so far behind; else it asks for its part itself.</summary>
    public const long NearBytes = 8 * BodyFeed.SliceBytes;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<BodyFeed>> _feeds = [];   // guarded by _gate; each entry is a fetch under way

    /// <summary>It has begun.</summary>
    public void Add(BodyFeed feed)
    {
        lock (_gate)
        {
            string name = Convert.ToHexString(feed.BodyId);
            if (!_feeds.TryGetValue(name, out List<BodyFeed>? list))
            {
                _feeds.Add(name, list = []);
            }

            list.Add(feed);
        }
    }

    /// <summary>It has ended.</summary>
    public void Remove(BodyFeed feed)
    {
        lock (_gate)
        {
            string name = Convert.ToHexString(feed.BodyId);
            if (_feeds.TryGetValue(name, out List<BodyFeed>? list) && list.Remove(feed) && list.Count == 0)
            {
                _feeds.Remove(name);
            }
        }
    }

    /// <summary>One that has this byte, or soon will; null: there is none.</summary>
    public BodyFeed? Find(byte[] bodyId, long offset, BodyFeed? besides = null, long nearBytes = NearBytes)
    {
        lock (_gate)
        {
            return _feeds.TryGetValue(Convert.ToHexString(bodyId), out List<BodyFeed>? list)
                ? list.Find(feed => feed != besides && feed.WillHave(offset, nearBytes))
                : null;
        }
    }
}
