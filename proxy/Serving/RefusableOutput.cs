using System.Buffers;
using System.IO.Pipelines;

namespace Breakwater.Proxy.Serving;

/// <summary>
/// What Kestrel writes to a client, until it is told what to send instead: then that goes out and Kestrel's own words are thrown away.
/// Kestrel refuses what it cannot parse with a bare status and lets nobody add to it.
/// </summary>
internal sealed class RefusableOutput(PipeWriter output) : PipeWriter
{
    private ArrayBufferWriter<byte>? _thrownAway;   // not null: the last word is spoken

    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => output.CanGetUnflushedBytes;

    /// <inheritdoc/>
    public override long UnflushedBytes => output.UnflushedBytes;

    /// <summary>Sends this in place of all that Kestrel has yet to say on the connection. Called between two of Kestrel's writes.</summary>
    public void SayInstead(ReadOnlySpan<byte> answer)
    {
        output.Write(answer);
        _thrownAway = new ArrayBufferWriter<byte>();
    }

    /// <summary>Sends an interim answer before the one that Kestrel has yet to begin. Complete when it may begin.</summary>
    public async ValueTask SayBeforeAsync(ReadOnlyMemory<byte> head)
    {
        if (_thrownAway is null)
        {
            await output.WriteAsync(head);
        }
    }

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0) =>
        _thrownAway is null ? output.GetMemory(sizeHint) : _thrownAway.GetMemory(sizeHint);

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => _thrownAway is null ? output.GetSpan(sizeHint) : _thrownAway.GetSpan(sizeHint);

    /// <inheritdoc/>
    public override void Advance(int bytes)
    {
        if (_thrownAway is null)
        {
            output.Advance(bytes);
        }
        else
        {
            _thrownAway.ResetWrittenCount();
        }
    }

    /// <inheritdoc/>
    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) =>
        _thrownAway is null ? output.WriteAsync(source, cancellationToken) : output.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        output.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public override void CancelPendingFlush() => output.CancelPendingFlush();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => output.Complete(exception);

    /// <inheritdoc/>
    public override ValueTask CompleteAsync(Exception? exception = null) => output.CompleteAsync(exception);
}
