namespace Breakwater.Proxy.Access;

/// <summary>
/// Whether the proxy is about to stop. While it drains every answer says <c>Connection: close</c>, so that clients come back to the next process, and nobody's
/// request meets a connection that is just being closed.
/// </summary>
internal sealed class Drain
{
    /// <summary>How long that goes on before idle connections are closed: a client in the middle of a boot asks far more often.</summary>
    public static readonly TimeSpan Farewell = TimeSpan.FromSeconds(1);

    private volatile bool _isUnderWay;

    /// <summary>Is this process about to stop?</summary>
    public bool IsUnderWay => _isUnderWay;

    /// <summary>Begins; there is no way back.</summary>
    public void Begin() => _isUnderWay = true;
}
