using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Fetching;

/// <summary>
/// One way to an object: the repository and path under which it was asked for, and so the Stratum 1s that may have it there. Requests for
/// the same object under another repository share the fetch, but not the way: what a Stratum 1 says about one path says nothing of another.
/// </summary>
/// <param name="order">Repository, path and the host that its first client named.</param>
internal sealed class FetchWay(FetchOrder order)
{
    public FetchOrder Order => order;

    /// <summary>Its Stratum 1s; null before it is asked. Only the fetch's own flow touches it.</summary>
    public CandidateCursor? Cursor { get; set; }

    /// <summary>Requests that came this way and have not left; guarded by the lock of <see cref="FetchWays"/>.</summary>
    public int Followers { get; set; }

    /// <summary>Has any of its Stratum 1s been asked? Guarded by the lock of <see cref="FetchWays"/>.</summary>
    public bool WasAsked { get; set; }

    /// <summary>Why nothing came this way; null while something may. Written once, by <see cref="FetchWays"/>.</summary>
    public UpstreamFailure? Failure
    {
        get => Volatile.Read(ref field);
        set => Volatile.Write(ref field, value);
    }
}
