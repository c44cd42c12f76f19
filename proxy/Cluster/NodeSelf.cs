using System.Security.Cryptography;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Cluster;

/// <summary>This node. Thread-safe.</summary>
internal sealed class NodeSelf(ClusterOptions options, Drain drain)
{
    private volatile bool _hasLeft;
    private volatile bool _isStarting;
    private Action? _changed;

    /// <summary>What it says of itself, but for its state.</summary>
    public NodeAnnouncement Announcement { get; } = new(options.Id, options.Site, NodeAnnouncement.CurrentProtocol, options.Weight,
        Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)), "");

    /// <summary>Its id.</summary>
    public string Id => Announcement.Id;

    /// <summary>
    /// Does it own a share? Not before its port is open, while it is about to stop, nor after an operator's 'cluster leave'.
    /// </summary>
    public bool IsMember => !_isStarting && !_hasLeft && !drain.IsUnderWay;

    /// <summary>No other node can ask it before <see cref="NoteStarted"/>.</summary>
    public void NoteStarting() => _isStarting = true;

    /// <summary>Its port is open.</summary>
    public void NoteStarted()
    {
        _isStarting = false;
        _changed?.Invoke();
    }

    /// <summary>An operator's word: it leaves the ring, and serves its clients and the other nodes as before.</summary>
    public void Leave()
    {
        _hasLeft = true;
        _changed?.Invoke();
    }

    /// <summary>It is a member again.</summary>
    public void Join()
    {
        _hasLeft = false;
        _changed?.Invoke();
    }

    /// <summary>Who is told when <see cref="IsMember"/> may have changed.</summary>
    public void Watch(Action changed)
    {
        _changed += changed;
        drain.Begun.UnsafeRegister(static state => ((Action)state!)(), changed);
    }
}
