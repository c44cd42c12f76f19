namespace Breakwater.Proxy.Upstreams;

/// <summary>One body on its way from upstream, as <see cref="UpstreamPace"/> sees it. One reader.</summary>
/// <param name="pace">The limit.</param>
/// <param name="time">Clock.</param>
/// <param name="turn">How urgent the rest is right now; quick, and does not come back here.</param>
internal sealed class PacedBody(UpstreamPace pace, TimeProvider time, Func<PaceTurn> turn)
{
    private TimeSpan _beforeFirst;
    private long _waited;
    private long _since = -1;

    /// <summary>How long the limit has held it back so far. Any thread.</summary>
    public TimeSpan Waited
    {
        get
        {
            long since = Volatile.Read(ref _since);
            return new TimeSpan(Volatile.Read(ref _waited)) + (since < 0 ? TimeSpan.Zero : time.GetElapsedTime(since));
        }
    }

    /// <summary>How much to read at a time.</summary>
    public int Piece(int wanted) => pace.Piece(wanted);

    /// <summary>So many bytes came: waits until they may have come.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public ValueTask PayAsync(int bytes, CancellationToken cancellationToken)
    {
        ValueTask paid = pace.PayAsync(bytes, turn, cancellationToken);
        return paid.IsCompletedSuccessfully ? paid : WaitAsync(paid);
    }

    private async ValueTask WaitAsync(ValueTask paid)
    {
        bool isFirst = turn() == PaceTurn.First;
        long since = time.GetTimestamp();
        Volatile.Write(ref _since, since);
        try
        {
            await paid;
        }
        finally
        {
            TimeSpan waited = time.GetElapsedTime(since);
            Volatile.Write(ref _since, -1);
            Volatile.Write(ref _waited, _waited + waited.Ticks);
            if (isFirst)
            {
                _beforeFirst += waited;
                pace.NoteLate(_beforeFirst);
            }
        }
    }
}
