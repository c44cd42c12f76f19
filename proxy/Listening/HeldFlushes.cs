using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;

namespace Breakwater.Proxy.Listening;

/// <summary>
/// What <c>SslStream</c> makes of one write goes to the socket at once: it flushes each record of 16 KiB by itself, and each of them costs
/// both sides a call to the system and a way through the network's layers. Stands below TLS; <see cref="WholeWrites"/>, above it, says
/// when. One writer, as a connection has.
/// </summary>
internal sealed class HeldFlushes(PipeWriter inner) : PipeWriter
{
    private volatile bool _isHeld;

    /// <summary>Middleware of a connection, before the one for TLS.</summary>
    public static ConnectionDelegate Wrap(ConnectionDelegate next) => async connection =>
    {
        IDuplexPipe transport = connection.Transport;
        var output = new HeldFlushes(transport.Output);
        connection.Features.Set(output);
        connection.Transport = new Pair(transport.Input, output);
        try
        {
            await next(connection);
        }
        finally
        {
            connection.Transport = transport;
        }
    };

    /// <summary>From now on what is flushed waits.</summary>
    public void Hold() => _isHeld = true;

    /// <summary>What is flushed from now on goes out, with all that waits.</summary>
    public void Release() => _isHeld = false;

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

    /// <inheritdoc/>
    public override void Advance(int bytes) => inner.Advance(bytes);

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        _isHeld ? default : inner.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    /// <inheritdoc/>
    public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

    private sealed record Pair(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
