using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Exchanges;

/// <summary>A request to an origin that others may wait for. It belongs to no client.</summary>
internal sealed class Flight
{
    private volatile StoredHead? _head;

    /// <summary>
    /// What came of it. One that is for its first client alone is seen by that one only; to the others it says that they must ask
    /// themselves.
    /// </summary>
    public TaskCompletionSource<ExchangeAnswer> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The head, once it has come, while its body is on its way; null: before, or there is none to share.</summary>
    public StoredHead? Head
    {
        get => _head;
        set => _head = value;
    }

    /// <summary>Requests that wait for it, the first included. Guarded by the table.</summary>
    public int Waiting { get; set; } = 1;

    /// <summary>Where the body of <see cref="Head"/> is on its way.</summary>
    public BodyFeed? Feed { get; set; }
}
