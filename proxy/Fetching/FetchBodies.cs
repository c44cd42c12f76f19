using Breakwater.CacheStore;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Fetching;

/// <summary>
/// Makes the bodies of fetches: they have room in the store, memory for what the store does not take, and a pace at which they may come
/// from upstream. Thread-safe.
/// </summary>
internal sealed class FetchBodies(
    IObjectStore store, OverflowBudget overflow, UpstreamPace pace, TimeProvider time, IVerifiedListener listener)
{
    /// <summary>The store keeps no longer object.</summary>
    public long MaxObjectBytes => store.MaxObjectBytes;

    /// <summary>Begins an empty body.</summary>
    public GrowingObject Begin(FetchOrder order) =>
        new(store.BeginWrite(order.Key, null, order.Repository.Mark), overflow, time, order.IsReadFromMemory);

    /// <summary>Begins to count what comes of a body from upstream.</summary>
    /// <param name="turn">How urgent the rest is right now; must not block.</param>
    public PacedBody BeginPace(Func<PaceTurn> turn) => pace.Begin(turn);

    /// <summary>Will the store keep this body, as far as can be told?</summary>
    public bool IsToBeStored(GrowingObject body) => body.Refusal is null && !(body.Length > MaxObjectBytes);

    /// <summary>Is the body the object of the order? If so, <paramref name="note"/> runs before anybody gets the rest.</summary>
    public bool TryVerify(GrowingObject body, FetchOrder order, Action note) => body.TryVerify(() =>
    {
        listener.OnVerified(order);
        note();
    });
}
