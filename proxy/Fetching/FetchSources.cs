using System.Net;

namespace Breakwater.Proxy.Fetching;

/// <summary>
/// Where a fetch gets its heads: from the site's nodes first, then, with a place among the fetches from Stratum 1s, from the ways of all
/// who wait for it. The fetch's own flow only, but for <see cref="Promote"/> and <see cref="HasBegun"/>.
/// </summary>
internal sealed class FetchSources
{
    private readonly FetchServices _services;
    private readonly FetchWays _ways;
    private readonly FetchPlace _place;
    private readonly NodeWay? _nodes;
    private readonly Func<bool> _turnUpstream;
    private volatile bool _hasBegun;
    private volatile bool _isUpstream;
    private bool _mayAskNodes;
    private bool _hasPlace;

    /// <summary>Makes them.</summary>
    /// <param name="order">What is fetched.</param>
    /// <param name="services">What every fetch works with.</param>
    /// <param name="ways">The ways to Stratum 1s.</param>
    /// <param name="turnUpstream">
    /// Called once when no node is left to ask. False: the object is here by now, or another fetch of this node asks Stratum 1s for it.
    /// </param>
    public FetchSources(FetchOrder order, FetchServices services, FetchWays ways, Func<bool> turnUpstream)
    {
        _services = services;
        _ways = ways;
        _place = new FetchPlace(order.Priority, order.Client, order.Repository.Cluster);
        _nodes = NodeWay.For(order, services);
        _mayAskNodes = _nodes is not null;
        _turnUpstream = turnUpstream;
        BegunAt = services.Time.GetTimestamp();
    }

    /// <summary>Somebody was asked: before that it costs nobody anything.</summary>
    public bool HasBegun => _hasBegun;

    /// <summary>Are Stratum 1s asked, and nobody else from now on? Then whoever waits for it waits for no node.</summary>
    public bool IsUpstream => _isUpstream;

    /// <summary>How urgent the most urgent of those who wait finds it.</summary>
    public FetchPriority Priority => _place.Priority;

    /// <summary>Timestamp since when bytes could come.</summary>
    public long BegunAt { get; private set; }

    /// <summary>Nobody is asked any more, since the object comes, or came, by another fetch of this node.</summary>
    public bool IsElsewhere { get; private set; }

    /// <summary>Are nodes asked for what they hold alone?</summary>
    public bool IsMoved => _nodes?.IsMoved == true;

    /// <summary>Somebody who wants it this urgently has joined.</summary>
    public void Promote(FetchPriority priority, IPAddress? client)
    {
        _services.Queue.Promote(_place, priority, client);
        _nodes?.Promote(priority, client);
    }

    /// <summary>A good head of a node or, when none is left to ask, of a Stratum 1. Null: nobody is left.</summary>
    /// <param name="offset">First byte that is wanted.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<FetchAnswer?> OpenAsync(long offset, CancellationToken cancellationToken)
    {
        if (_mayAskNodes)
        {
            if (await _nodes!.OpenAsync(offset, cancellationToken) is { } answer)
            {
                _hasBegun = true;
                return answer;
            }

            _mayAskNodes = false;
            _nodes.Leave();
            IsElsewhere = !_turnUpstream();
        }

        if (IsElsewhere)
        {
            return null;
        }

        if (!_hasPlace)
        {
            _hasBegun = false;
            await _services.Queue.EnterAsync(_place, cancellationToken);
            _hasPlace = true;
            _hasBegun = true;
            _isUpstream = true;
            BegunAt = _services.Time.GetTimestamp();
            _ways.Begin();
        }

        return await _ways.OpenAsync(offset, cancellationToken);
    }

    /// <summary>Ends the asking, if nobody is left to ask.</summary>
    public bool TryEnd() => !_mayAskNodes && _ways.TryEnd();

    /// <summary>Gives the places back.</summary>
    public void Leave()
    {
        _nodes?.Leave();
        if (_hasPlace)
        {
            _hasPlace = false;
            _services.Queue.Leave(_place);
        }
    }
}
