namespace Breakwater.Proxy.Exchanges;

/// <summary>
/// A client's interest in a body, told to <see cref="BodyFeeds"/>: it reads, or waits for what is under way to come to its part. Others see
/// a little late where it is. Dispose to end it.
/// </summary>
/// <param name="feeds">What is under way.</param>
/// <param name="bodyId">Identity of the body.</param>
/// <param name="end">Offset behind the last byte that it wants.</param>
internal sealed class BodyInterest(BodyFeeds feeds, byte[] bodyId, long end = long.MaxValue) : IDisposable
{
    private long _at;
    private long _end = end;

    /// <summary>Identity of the body.</summary>
    public byte[] BodyId => bodyId;

    /// <summary>It is here now.</summary>
    public void Move(long at, long end)
    {
        Volatile.Write(ref _at, at);
        Volatile.Write(ref _end, end);
    }

    /// <summary>
    /// Does it want what follows on this offset? It may be far behind it, in what is stored, but not far in front.
    /// </summary>
    public bool IsIn(long offset) => Volatile.Read(ref _at) - offset < BodyFeeds.NearBytes && Volatile.Read(ref _end) > offset;

    /// <inheritdoc/>
    public void Dispose() => feeds.Leave(this);
}
