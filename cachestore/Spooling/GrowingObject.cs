namespace Breakwater.CacheStore.Spooling;

/// <summary>
/// An uncommitted body: one writer, many followers, bounded memory. Followers see only what was released, so that the writer may hold
/// bytes back until the digest matched.
/// </summary>
/// <remarks>
/// Bytes live in the <see cref="ObjectWriter"/>. When the store cannot take the object (full disk, too large), or has not given it back
/// before, they go through a window of memory: the writer then waits for the slowest follower, five seconds at most, and a follower that
/// fell out of the window gets an <see cref="IOException"/>. Whoever holds it counts: the last <see cref="ReleaseHoldAsync"/> disposes the
/// writer.
/// </remarks>
public sealed class GrowingObject
{
    private readonly ObjectWriter _writer;
    private readonly OverflowWindow _overflow;
    private readonly Lock _gate = new();
    private TaskCompletionSource? _pulse;   // guarded by _gate; completed and dropped at each change
    private long _appended;                 // written by the writer only
    private long _released;                 // written under _gate, read anywhere
    private long _length = -1;              // written under _gate, read anywhere
    private volatile GrowthState _state;    // written under _gate
    private int _holds = 1;                 // guarded by _gate

    /// <summary>Starts a body; the caller has the first hold.</summary>
    /// <param name="writer">Takes it into the store.</param>
    /// <param name="overflow">Memory for what the store does not take.</param>
    /// <param name="time">The clock.</param>
    /// <param name="isReadFromMemory">Followers read it from memory, though the store takes it.</param>
    public GrowingObject(ObjectWriter writer, OverflowBudget overflow, TimeProvider time, bool isReadFromMemory = false)
    {
        _writer = writer;
        _overflow = new OverflowWindow(overflow, time);
        if (isReadFromMemory)
        {
            _overflow.Begin(0);
        }
    }

    /// <summary>The object's identity.</summary>
    public ObjectKey Key => _writer.Key;

    /// <summary>Bytes appended so far.</summary>
    public long Appended => Volatile.Read(ref _appended);

    /// <summary>Bytes that followers may read.</summary>
    public long Released => Volatile.Read(ref _released);

    /// <summary>Length of the whole object, bytes; null while unknown.</summary>
    public long? Length => Volatile.Read(ref _length) is >= 0 and long known ? known : null;

    /// <summary>Where it stands.</summary>
    public GrowthState State => _state;

    /// <summary>Why the store does not take the object; null while it does.</summary>
    public CommitResult? Refusal { get; private set; }

    /// <summary>The writer learnt the length from the upstream.</summary>
    public void DeclareLength(long length)
    {
        lock (_gate)
        {
            Volatile.Write(ref _length, length);
        }
    }

    /// <summary>Appends bytes (the writer only). They are not seen before <see cref="Release"/>.</summary>
    public async ValueTask AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        CommitResult? refusal = await _writer.AppendAsync(bytes, cancellationToken).ConfigureAwait(false);
        if (refusal is not null && Refusal is null)
        {
            Refusal = refusal;
            if (!_overflow.HasBegun)
            {
                _overflow.Begin(Appended);
            }
        }

        if (_overflow.HasBegun)
        {
            await _overflow.AppendAsync(bytes, cancellationToken).ConfigureAwait(false);
        }

        Volatile.Write(ref _appended, _appended + bytes.Length);
    }

    /// <summary>Lets followers read up to <paramref name="upTo"/> bytes. Never goes back.</summary>
    public void Release(long upTo)
    {
        lock (_gate)
        {
            if (upTo > _released && _state == GrowthState.Growing)
            {
                Volatile.Write(ref _released, upTo);
                PulseLocked();
            }
        }
    }

    /// <summary>
    /// Are the bytes at hand all there are? True: the digest matches, everything is released and the store finds the object. Else the body
    /// stays unreleased, and may grow on.
    /// </summary>
    /// <param name="isRight">Called when the digest matches, before any follower gets the rest: so the order of these calls is that in
    /// which clients go on.</param>
    public bool TryVerify(Action? isRight = null)
    {
        if (!_writer.Verify())
        {
            return false;
        }

        isRight?.Invoke();

        lock (_gate)
        {
            Volatile.Write(ref _length, Appended);
            Volatile.Write(ref _released, Appended);
            _state = GrowthState.Verified;
            PulseLocked();
        }

        return true;
    }

    /// <summary>Makes the verified object durable; completes with the log's next commit.</summary>
    public Task<CommitResult> CommitAsync() => _writer.CommitAsync();

    /// <summary>No more comes: wakes the followers.</summary>
    public void Break()
    {
        lock (_gate)
        {
            if (_state == GrowthState.Growing)
            {
                _state = GrowthState.Broken;
                PulseLocked();
            }
        }
    }

    /// <summary>Followers are to look again: something has changed that is not in the body.</summary>
    public void Wake()
    {
        lock (_gate)
        {
            PulseLocked();
        }
    }

    /// <summary>
    /// Completes when something beyond <paramref name="offset"/> is released, the body ended, or <see cref="Wake"/>. Check again after it.
    /// </summary>
    public Task WaitBeyondAsync(long offset)
    {
        lock (_gate)
        {
            if (_released > offset || _state != GrowthState.Growing)
            {
                return Task.CompletedTask;
            }

            _pulse ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _pulse.Task;
        }
    }

    /// <summary>Reads released bytes, at least one; 0 when there is nothing released beyond <paramref name="offset"/>.</summary>
    /// <exception cref="IOException">The bytes fell out of the window of memory, or the store cannot read them.</exception>
    public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        long available = Released - offset;
        if (available <= 0 || buffer.Length == 0)
        {
            return ValueTask.FromResult(0);
        }

        return ReadAppendedAsync(offset, buffer[..(int)Math.Min(buffer.Length, available)], cancellationToken);
    }

    /// <summary>
    /// Where released bytes lie in memory; only the kernel should touch them. Valid until <paramref name="hold"/> is disposed. False: there
    /// are none beyond <paramref name="offset"/>, or they must be read.
    /// </summary>
    public bool TryGetMapped(long offset, out MappedRun run, out IDisposable? hold)
    {
        run = default;
        hold = null;
        long available = Released - offset;
        if (available <= 0 || _overflow.Covers(offset) || !_writer.TryGetMapped(offset, out run, out hold))
        {
            return false;
        }

        // What the store did not take begins behind all that was released before it.
        run = run with
        {
            Length =
            (int)Math.Min(run.Length, _overflow.HasBegun ? Math.Min(available, _overflow.Begun - offset) : available)
        };
        return true;
    }

    /// <summary>Reads appended bytes, released or not (the writer only: to compare two bodies).</summary>
    public ValueTask<int> ReadAppendedAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_overflow.Covers(offset))
        {
            return ValueTask.FromResult(_overflow.Read(offset, buffer.Span));
        }

        if (_overflow.HasBegun)
        {
            buffer = buffer[..(int)Math.Min(buffer.Length, Math.Max(0, _overflow.Begun - offset))];
        }

        int read = _writer.TryRead(offset, buffer.Span);
        return read >= 0 ? ValueTask.FromResult(read) : _writer.ReadAsync(offset, buffer, cancellationToken);
    }

    /// <summary>
    /// A follower starts. Null: too late, the beginning has left memory and the store does not have it, or the body is gone.
    /// </summary>
    public GrowingReader? TryOpenReader()
    {
        lock (_gate)
        {
            if (_holds == 0 || _overflow.HasLostBytes)
            {
                return null;
            }

            _holds++;
            var reader = new GrowingReader(this);
            _overflow.Add(reader);
            return reader;
        }
    }

    /// <summary>The caller no longer needs the bytes; the last one disposes them.</summary>
    public async ValueTask ReleaseHoldAsync()
    {
        lock (_gate)
        {
            if (--_holds > 0)
            {
                return;
            }
        }

        _overflow.Close();
        await _writer.DisposeAsync().ConfigureAwait(false);
    }

    internal void Forget(GrowingReader reader) => _overflow.Remove(reader);

    internal void Moved() => _overflow.ReaderMoved();

    private void PulseLocked()
    {
        _pulse?.TrySetResult();
        _pulse = null;
    }
}
