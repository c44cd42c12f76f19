using System.Buffers;
using System.IO.Pipelines;

namespace Breakwater.Proxy.HitPath.Loop;

/// <summary>The input of a connection whose first bytes were read by somebody else: those first, then the transport's. One flow at a time.</summary>
/// <param name="early">The bytes that were read already; not empty.</param>
/// <param name="transport">Where all others come from.</param>
internal sealed class EarlyReader(byte[] early, PipeReader transport) : PipeReader
{
    private ReadOnlySequence<byte> _early = new(early);
    private bool _isExamined;
    private bool _isEnded;  // the transport has no more than _early holds of it
    private int _isCanceled;

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (_early.IsEmpty)
        {
            return transport.ReadAsync(cancellationToken);
        }

        return TryReadEarly(out ReadResult result) ? ValueTask.FromResult(result) : ReadMoreAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        if (_early.IsEmpty)
        {
            return transport.TryRead(out result);
        }

        if (TryReadEarly(out result))
        {
            return true;
        }

        if (!transport.TryRead(out result))
        {
            return false;
        }

        result = Join(result);
        return true;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_early.IsEmpty)
        {
            transport.AdvanceTo(consumed, examined);
            return;
        }

        _isExamined = _early.Slice(examined).IsEmpty;
        _early = _early.Slice(consumed);
    }

    /// <inheritdoc/>
    public override void CancelPendingRead()
    {
        Volatile.Write(ref _isCanceled, 1);
        transport.CancelPendingRead();
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => transport.Complete(exception);

    private bool TryReadEarly(out ReadResult result)
    {
        bool isCanceled = Interlocked.Exchange(ref _isCanceled, 0) == 1;
        result = new ReadResult(_early, isCanceled, _isEnded);
        return isCanceled || !_isExamined || _isEnded;
    }

    private async ValueTask<ReadResult> ReadMoreAsync(CancellationToken cancellationToken) => Join(await transport.ReadAsync(cancellationToken));

    /// <summary>What is left of the early bytes, and what has come since: copied together, since it is little and seldom.</summary>
    private ReadResult Join(in ReadResult more)
    {
        byte[] joined = new byte[_early.Length + more.Buffer.Length];
        _early.CopyTo(joined);
        more.Buffer.CopyTo(joined.AsSpan((int)_early.Length));
        transport.AdvanceTo(more.Buffer.End);
        _early = new ReadOnlySequence<byte>(joined);
        _isExamined = false;
        _isEnded = more.IsCompleted;
        return new ReadResult(_early, more.IsCanceled, more.IsCompleted);
    }
}
