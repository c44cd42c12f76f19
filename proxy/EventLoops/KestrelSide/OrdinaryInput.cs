using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace Breakwater.Proxy.EventLoops.KestrelSide;

/// <summary>
/// What Kestrel reads of a connection: exactly the bytes that its loop gives it. When it wants more than it was given it has answered what
/// it had, and waits here until the next request that is its own. The loop calls <see cref="Give"/> and <see cref="End"/>, Kestrel the
/// rest.
/// </summary>
/// <param name="isWaiting">Called when Kestrel has begun to wait.</param>
internal sealed class OrdinaryInput(Action isWaiting) : PipeReader, IValueTaskSource<ReadResult>
{
    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<ReadResult> _read = new() { RunContinuationsAsynchronously = true }; // guarded by _gate
    private CancellationTokenRegistration _cancellation;    // guarded by _gate
    private ReadOnlySequence<byte> _bytes;                  // guarded by _gate; given and not consumed
    private bool _isExamined = true;                        // guarded by _gate
    private bool _isWaiting;                                // guarded by _gate
    private bool _isEnded;                                  // guarded by _gate
    private bool _isCanceled;                               // guarded by _gate

    /// <summary>Does Kestrel wait for bytes?</summary>
    public bool IsWaiting
    {
        get
        {
            lock (_gate)
            {
                return _isWaiting;
            }
        }
    }

    /// <summary>Gives Kestrel bytes, behind what it has not consumed.</summary>
    public void Give(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            byte[] all = new byte[_bytes.Length + bytes.Length];
            _bytes.CopyTo(all);
            bytes.CopyTo(all.AsSpan((int)_bytes.Length));
            _bytes = new ReadOnlySequence<byte>(all);
            _isExamined = false;
            WakeLocked();
        }
    }

    /// <summary>No more comes.</summary>
    public void End()
    {
        lock (_gate)
        {
            _isEnded = true;
            WakeLocked();
        }
    }

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        short version;
        lock (_gate)
        {
            if (TryTakeLocked(out ReadResult result))
            {
                return ValueTask.FromResult(result);
            }

            _read.Reset();
            _isWaiting = true;
            version = _read.Version;
        }

        if (cancellationToken.CanBeCanceled)
        {
            Register(version, cancellationToken);
        }

        isWaiting();
        return new ValueTask<ReadResult>(this, version);
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        lock (_gate)
        {
            return TryTakeLocked(out result);
        }
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        lock (_gate)
        {
            if (!_bytes.IsEmpty)
            {
                _isExamined = _bytes.Slice(examined).IsEmpty;
                _bytes = _bytes.Slice(consumed);
            }
        }
    }

    /// <inheritdoc/>
    public override void CancelPendingRead()
    {
        lock (_gate)
        {
            _isCanceled = true;
            WakeLocked();
        }
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => End();

    /// <inheritdoc/>
    ReadResult IValueTaskSource<ReadResult>.GetResult(short token) => _read.GetResult(token);

    /// <inheritdoc/>
    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _read.GetStatus(token);

    /// <inheritdoc/>
    void IValueTaskSource<ReadResult>.OnCompleted(Action<object?> continuation, object? state, short token,
        ValueTaskSourceOnCompletedFlags flags) =>
        _read.OnCompleted(continuation, state, token, flags);

    private void Register(short version, CancellationToken cancellationToken)
    {
        CancellationTokenRegistration registration = cancellationToken.UnsafeRegister((_, token) => GiveUp(version, token), null);
        lock (_gate)
        {
            if (_isWaiting && _read.Version == version)
            {
                _cancellation = registration;
                return;
            }
        }

        registration.Unregister();
    }

    private void GiveUp(short version, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_isWaiting && _read.Version == version)
            {
                _isWaiting = false;
                _read.SetException(new OperationCanceledException(cancellationToken));
            }
        }
    }

    private bool TryTakeLocked(out ReadResult result)
    {
        result = new ReadResult(_bytes, _isCanceled, _isEnded);
        bool isThere = _isCanceled || _isEnded || !_isExamined;
        _isCanceled = false;
        return isThere;
    }

    private void WakeLocked()
    {
        if (_isWaiting && TryTakeLocked(out ReadResult result))
        {
            _isWaiting = false;
            _cancellation.Unregister();
            _cancellation = default;
            _read.SetResult(result);
        }
    }
}
