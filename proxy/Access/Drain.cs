namespace Breakwater.Proxy.Access;

/// <summary>
/// Whether the proxy is about to stop. While it drains every answer says <c>Connection: close</c>, so that clients come back to the next
/// process, and nobody's request meets a connection that is just being closed.
/// </summary>
internal sealed class Drain : IDisposable
{
    private readonly CancellationTokenSource _begun = new();

    /// <summary>Is this process about to stop?</summary>
    public bool IsUnderWay => _begun.IsCancellationRequested;

    /// <summary>Fires when it begins.</summary>
    public CancellationToken Begun => _begun.Token;

    /// <summary>Begins; there is no way back.</summary>
    public void Begin() => _begun.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _begun.Dispose();
}
