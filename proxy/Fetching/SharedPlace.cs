using System.Net;

namespace Breakwater.Proxy.Fetching;

/// <summary>
/// The places in a <see cref="FetchQueue"/>, one after the other, of work that several clients may come to wait for: whoever joins does not
/// wait behind all that its first client wants. Thread-safe.
/// </summary>
/// <param name="queue">The queue.</param>
/// <param name="priority">How urgent it is.</param>
/// <param name="client">Who wants it first; null: the proxy itself.</param>
/// <param name="cluster">Whose Stratum 1s are asked.</param>
internal sealed class SharedPlace(FetchQueue queue, FetchPriority priority, IPAddress? client, string? cluster = null)
{
    private readonly Lock _gate = new();
    private FetchPlace _place = new(priority, client, cluster); // guarded by _gate: a place is entered once

    /// <summary>Waits for a place; <see cref="Leave"/> must follow.</summary>
    /// <exception cref="OperationCanceledException">Cancelled while waiting.</exception>
    public Task EnterAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _place = _place.Again();
            return queue.EnterAsync(_place, cancellationToken);
        }
    }

    /// <summary>Gives it back.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            queue.Leave(_place);
        }
    }

    /// <summary>Somebody else waits for it, too.</summary>
    public void Join(IPAddress? other)
    {
        lock (_gate)
        {
            queue.Promote(_place, priority, other);
        }
    }
}
