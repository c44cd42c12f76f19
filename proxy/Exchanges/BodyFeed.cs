using Breakwater.CacheStore;

namespace Breakwater.Proxy.Exchanges;

/// <summary>
/// A body, or a part of one, on its way from an origin: one writer, many readers. Slices of 1 MiB go into the store as they fill and leave
/// memory; what the store does not take stays in a window of memory, for whose slowest reader the writer waits a while. Thread-safe.
/// </summary>
internal sealed class BodyFeed
{
    /// <summary>Slices kept for slow readers while the store takes none.</summary>
    private const int WindowSlices = 16;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly IObjectStore _store;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly List<SliceBuffer> _window = [];                  // guarded by _gate; the last one grows
    private readonly Dictionary<BodyReader, long> _readers = [];      // guarded by _gate: where each is
    private TaskCompletionSource? _pulse;                             // guarded by _gate
    private TaskCompletionSource? _moved;                             // guarded by _gate: a reader went on, while the writer waits
    private FeedRead _state = FeedRead.Wait;                          // guarded by _gate: Wait, Ended or Broken
    private long _position;                                           // guarded by _gate
    private int _held;                                                // guarded by _gate: bytes behind that are nobody's yet

    /// <summary>Starts a feed.</summary>
    /// <param name="bodyId">Identity of the body.</param>
    /// <param name="first">Offset of its first byte: at the start of a slice.</param>
    /// <param name="end">Offset behind its last byte; null: not known.</param>
    /// <param name="store">Takes the slices.</param>
    /// <param name="time">For the patience with readers.</param>
    public BodyFeed(byte[] bodyId, long first, long? end, IObjectStore store, TimeProvider time)
    {
        BodyId = bodyId;
        First = first;
        End = end;
        _position = first;
        _store = store;
        _time = time;
        StartedAt = time.GetTimestamp();
    }

    /// <summary>Identity of the body.</summary>
    public byte[] BodyId { get; }

    /// <summary>Offset of its first byte.</summary>
    public long First { get; }

    /// <summary>Offset behind its last byte; null: not known yet.</summary>
    public long? End { get; private set; }

    /// <summary>When it began, on the clock of its <see cref="TimeProvider"/>.</summary>
    public long StartedAt { get; }

    /// <summary>The origin was asked for a part and sent the whole: it knows no parts, and what is far in it must be waited for.</summary>
    public bool IsOnlyWay { get; set; }

    /// <summary>Did the store take all slices so far?</summary>
    public bool IsStored { get; private set; } = true;

    /// <summary>Completes when it has ended, one way or the other: true, when as it should.</summary>
    public TaskCompletionSource<bool> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Offset behind the last byte so far.</summary>
    public long Position
    {
        get
        {
            lock (_gate)
            {
                return _position;
            }
        }
    }

    /// <summary>Did it end before its end?</summary>
    public bool IsBroken
    {
        get
        {
            lock (_gate)
            {
                return _state == FeedRead.Broken;
            }
        }
    }

    /// <summary>Has anybody read it?</summary>
    public bool HasBeenRead { get; private set; }

    /// <summary>Will it have this byte within the time of so many bytes?</summary>
    public bool WillHave(long offset, long patienceBytes)
    {
        lock (_gate)
        {
            return _state == FeedRead.Wait && offset >= (_window.Count > 0 ? _window[0].Start : _position)
                && offset - _position < patienceBytes
                && (End is null || offset < End);
        }
    }

    /// <summary>Where the next bytes go; waits while the store or slow readers are behind (the writer only).</summary>
    public async ValueTask<Memory<byte>> RoomAsync(CancellationToken cancellationToken)
    {
        SliceBuffer? last = _window.Count > 0 ? _window[^1] : null;
        if (last is null || last.IsFull)
        {
            if (last is not null)
            {
                await FinishSliceAsync(last, cancellationToken);
            }

            long index = _position / BodySlice.SizeBytes;
            last = new SliceBuffer(index, (int)Math.Min(BodySlice.SizeBytes, (End ?? long.MaxValue) - (index * BodySlice.SizeBytes)));
            lock (_gate)
            {
                _window.Add(last);
            }
        }

        return last.Room;
    }

    /// <summary>So many bytes were put where <see cref="RoomAsync"/> said (the writer only).</summary>
    public void Advance(int count)
    {
        lock (_gate)
        {
            _window[^1].Advance(count);
            _position += count;
            PulseLocked();
        }
    }

    /// <summary>
    /// The last bytes are there, and nobody's before <see cref="EndAsync"/> has told that all is kept: whoever has the whole body, and
    /// says so to others, finds it kept. Only if the store does not take them they are read before (the writer only).
    /// </summary>
    public void AdvanceLast(int count)
    {
        lock (_gate)
        {
            _window[^1].Advance(count);
            _held = count;
        }
    }

    /// <summary>All is here, or another brings what follows (the writer only).</summary>
    /// <param name="whenWhole">Is told the length before anybody learns of the end, if the store has all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask EndAsync(Action<long>? whenWhole, CancellationToken cancellationToken)
    {
        await FinishLastSliceAsync(cancellationToken);
        if (IsStored)
        {
            whenWhole?.Invoke(_position + _held);
        }

        lock (_gate)
        {
            ReleaseLocked();
            End = _position;
            _state = FeedRead.Ended;
            PulseLocked();
        }

        Completion.TrySetResult(true);
    }

    /// <summary>Nobody wants what follows: what has come is kept, and no more comes (the writer only).</summary>
    public async ValueTask AbandonAsync(CancellationToken cancellationToken)
    {
        await FinishLastSliceAsync(cancellationToken);
        Break();
    }

    /// <summary>No more comes (the writer only).</summary>
    public void Break()
    {
        lock (_gate)
        {
            if (_state == FeedRead.Wait)
            {
                ReleaseLocked(); // proved, though the store has failed
                _state = FeedRead.Broken;
                PulseLocked();
            }
        }

        Completion.TrySetResult(false);
    }

    /// <summary>Completes at the next change behind this offset.</summary>
    public Task WaitBeyondAsync(long offset)
    {
        lock (_gate)
        {
            if (_position > offset || _state != FeedRead.Wait)
            {
                return Task.CompletedTask;
            }

            _pulse ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _pulse.Task;
        }
    }

    /// <summary>Reads what is in memory.</summary>
    public FeedRead Read(BodyReader reader, long offset, Span<byte> buffer, out int read)
    {
        read = 0;
        SliceBuffer? slice;
        long released;
        lock (_gate)
        {
            _readers[reader] = offset;
            HasBeenRead = true;
            _moved?.TrySetResult();
            if (offset >= _position)
            {
                return offset < First ? FeedRead.Elsewhere : _state;
            }

            slice = _window.Find(one => offset >= one.Start && offset < one.Start + one.Filled);
            slice?.Hold();
            released = _position - offset;
        }

        if (slice is null)
        {
            return FeedRead.Elsewhere;
        }

        ReadOnlySpan<byte> bytes = slice.Bytes.Span[(int)(offset - slice.Start)..];
        read = (int)Math.Min(released, Math.Min(bytes.Length, buffer.Length));
        bytes[..read].CopyTo(buffer);
        slice.Release();
        return FeedRead.Bytes;
    }

    /// <summary>Of so many bytes that the store has already, those that may be read.</summary>
    public int Released(long offset, int count)
    {
        lock (_gate)
        {
            return _held == 0 ? count : (int)Math.Clamp(_position - offset, 0, count);
        }
    }

    /// <summary>A reader needs nothing more of it.</summary>
    public void Leave(BodyReader reader)
    {
        lock (_gate)
        {
            _readers.Remove(reader);
            _moved?.TrySetResult();
        }
    }

    private ValueTask FinishLastSliceAsync(CancellationToken cancellationToken) =>
        _window.Count > 0 && _window[^1] is { Filled: > 0 } last ? FinishSliceAsync(last, cancellationToken) : ValueTask.CompletedTask;

    private async ValueTask FinishSliceAsync(SliceBuffer slice, CancellationToken cancellationToken)
    {
        if (await TryStoreAsync(slice, cancellationToken))
        {
            lock (_gate)
            {
                _window.Remove(slice);
            }

            slice.Release();
            return;
        }

        IsStored = false;
        lock (_gate)
        {
            ReleaseLocked();
            PulseLocked();
        }

        long since = _time.GetTimestamp();
        while (MovedTask() is { } moved)
        {
            try
            {
                await moved.WaitAsync(s_patience, _time, cancellationToken);
            }
            catch (TimeoutException)
            {
            }

            if (_time.GetElapsedTime(since) >= s_patience)
            {
                break; // the slowest did not move: the others go on without him
            }
        }

        lock (_gate)
        {
            // Readers may still look for it: the collector has the memory, not the pool.
            _window.RemoveRange(0, Math.Max(0, _window.Count - WindowSlices));
        }
    }

    /// <summary>Null: the window has room, or nobody needs its oldest slice.</summary>
    private Task? MovedTask()
    {
        lock (_gate)
        {
            if (_window.Count <= WindowSlices || !_readers.Values.Any(at => at < _window[0].Start + _window[0].Filled))
            {
                return null;
            }

            _moved = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _moved.Task;
        }
    }

    private async ValueTask<bool> TryStoreAsync(SliceBuffer slice, CancellationToken cancellationToken)
    {
        ObjectWriter writer = _store.BeginWrite(BodySlice.KeyOf(BodyId, slice.Index), slice.Filled);
        bool isTaken = false;
        try
        {
            isTaken = await writer.AppendAsync(slice.Bytes, cancellationToken) is null && writer.Verify();
            if (isTaken)
            {
                _ = CommitAsync(writer);
            }

            return isTaken;
        }
        finally
        {
            if (!isTaken)
            {
                await writer.DisposeAsync();
            }
        }
    }

    private static async Task CommitAsync(ObjectWriter writer)
    {
        try
        {
            await writer.CommitAsync();
        }
        catch (IOException)
        {
            // The store has forgotten it: it is fetched again.
        }
        finally
        {
            await writer.DisposeAsync();
        }
    }

    private void ReleaseLocked()
    {
        _position += _held;
        _held = 0;
    }

    private void PulseLocked()
    {
        _pulse?.TrySetResult();
        _pulse = null;
    }
}
