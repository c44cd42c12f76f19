namespace Breakwater.TestSupport;

/// <summary>How an upstream's answer ended.</summary>
public enum UpstreamAnswerEnd
{
    /// <summary>All that the behaviour wanted to send was sent.</summary>
    Sent,

    /// <summary>The behaviour cut the connection on purpose.</summary>
    Cut,

    /// <summary>The client closed or reset the connection before all was sent.</summary>
    ClientGone,

    /// <summary>The upstream was disposed meanwhile.</summary>
    Disposed,
}
