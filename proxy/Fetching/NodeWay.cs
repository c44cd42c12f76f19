using System.Globalization;
using System.Net;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Fetching;

/// <summary>
/// The way to an object by the site's nodes, before any Stratum 1 is asked. It takes no place among the fetches from Stratum 1s, else two
/// nodes whose places are all taken would wait for each other; it has a line of its own. The fetch's own flow only, but for
/// <see cref="Promote"/>.
/// </summary>
internal sealed class NodeWay
{
    /// <summary>
    /// How a node says that it could not get what it was asked for: no fault of its own, so that it gets no strike (RFC 4918, 11.4).
    /// </summary>
    public const int CouldNotGet = StatusCodes.Status424FailedDependency;

    /// <summary>Objects borrowed at a time; each is a connection.</summary>
    public const int MaxBorrowed = 256;

    private readonly FetchServices _services;
    private readonly FetchWay _way;
    private readonly FetchPlace _place;
    private readonly bool _isOnlyIfHeld;
    private bool _hasPlace;

    private NodeWay(FetchOrder order, FetchServices services, IReadOnlyList<Stratum1> nodes, bool isOnlyIfHeld)
    {
        _services = services;
        _way = new FetchWay(order) { Cursor = services.Client.Nodes(nodes) };
        _place = new FetchPlace(order.Priority, order.Client);
        _isOnlyIfHeld = isOnlyIfHeld;
    }

    /// <summary>The way of an order; null: no node is asked.</summary>
    public static NodeWay? For(FetchOrder order, FetchServices services)
    {
        IReadOnlyList<Stratum1> owners = order.Scope == FetchScope.Site ? services.NodeLine.Nodes.Before(order.Key) : [];
        if (owners.Count > 0)
        {
            return new NodeWay(order, services, owners, isOnlyIfHeld: false);
        }

        IReadOnlyList<Stratum1> holders = services.NodeLine.Nodes.Holders(order.Key);
        return holders.Count > 0 ? new NodeWay(order, services, holders, isOnlyIfHeld: true) : null;
    }

    /// <summary>Are they asked only for what they hold, since this node is to ask a Stratum 1 for it?</summary>
    public bool IsMoved => _isOnlyIfHeld;

    /// <summary>Gets a good head from the next node. Null: none is left to ask; then it is not asked again.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<FetchAnswer?> OpenAsync(long offset, CancellationToken cancellationToken)
    {
        if (!_hasPlace)
        {
            await _services.NodeLine.Queue.EnterAsync(_place, cancellationToken);
            _hasPlace = true;
        }

        var question = new ContentQuestion(HttpMethod.Get, _way.Order.UrlPath, offset)
        {
            IsOnlyIfHeld = _isOnlyIfHeld,
            Errand = ErrandOf(_way.Order.Priority, _way.Order.Client),
        };
        return await _services.Client.OpenAsync(question, _way.Cursor!, cancellationToken) is { } response
            ? new FetchAnswer(_way, response) : null;
    }

    /// <summary>Somebody who wants it this urgently has joined.</summary>
    public void Promote(FetchPriority priority, IPAddress? client) => _services.NodeLine.Queue.Promote(_place, priority, client);

    /// <summary>Nothing more is asked of nodes.</summary>
    public void Leave()
    {
        if (_hasPlace)
        {
            _hasPlace = false;
            _services.NodeLine.Queue.Leave(_place);
        }
    }

    /// <summary>What the other node is told: how urgent, and for whom, so that each client has its turn there as well.</summary>
    public static string ErrandOf(FetchPriority priority, IPAddress? client) =>
        string.Create(CultureInfo.InvariantCulture, $"{(int)priority} {client?.ToString() ?? "-"}");

    /// <summary>Reads what <see cref="ErrandOf"/> wrote; what it cannot read is the node's own and not urgent.</summary>
    public static (FetchPriority Priority, IPAddress? Client) ReadErrand(string? errand)
    {
        string[] words = (errand ?? "").Split(' ');
        FetchPriority priority = words[0] switch { "0" => FetchPriority.Catalog, "1" => FetchPriority.Demand, _ => FetchPriority.Prefetch };
        return (priority, words.Length == 2 && IPAddress.TryParse(words[1], out IPAddress? client) ? client : null);
    }
}
