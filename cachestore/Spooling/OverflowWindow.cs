namespace Breakwater.CacheStore.Spooling;

/// <summary>
/// The bytes of a body that the store does not take, kept in memory between the slowest follower and the writer. Thread-safe.
/// </summary>
internal sealed class OverflowWindow(OverflowBudget budget, TimeProvider time)
{
    /// <summary>64 MiB: every chunk of CernVM-FS (at most 16 MiB) passes whole, so that late followers can still join.</summary>
    internal const int MaxBytes = 64 << 20;

    /// <summary>
    /// A window may always have 1 MiB: enough for a body to go on, however many others there are. What is beyond comes out of the budget of
    /// all.
    /// </summary>
    internal const int OwnBytes = 1 << 20;

    /// <summary>How long the writer waits for a follower that does not move; the client itself gives up after 5 s.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <summary>How often it looks whether other windows have given memory back.</summary>
    private static readonly TimeSpan s_glance = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly List<GrowingReader> _readers = [];          // guarded by _gate
    private readonly Queue<(long Offset, byte[] Bytes)> _chunks = [];   // guarded by _gate; in order of offset
    private TaskCompletionSource? _moved;                         // guarded by _gate
    private long _start = -1;                                     // guarded by _gate: first byte in memory
    private long _bytes;                                          // guarded by _gate
    private long _borrowed;                                       // guarded by _gate: of the budget
    private long _begun = -1;

    public bool HasBegun => Volatile.Read(ref _begun) >= 0;

    /// <summary>The first byte that the store did not take.</summary>
    public long Begun => Volatile.Read(ref _begun);

    public bool HasLostBytes
    {
        get
        {
            lock (_gate)
            {
                return _begun >= 0 && _start > _begun;
            }
        }
    }

    public void Begin(long offset)
    {
        lock (_gate)
        {
            _start = offset;
            Volatile.Write(ref _begun, offset);
        }
    }

    public bool Covers(long offset) => Volatile.Read(ref _begun) is >= 0 and long begun && offset >= begun;

    public async ValueTask AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        long since = time.GetTimestamp();
        while (true)
        {
            Task moved;
            lock (_gate)
            {
                if (TryReserveLocked(bytes.Length))
                {
                    AddLocked(bytes);
                    return;
                }

                _moved ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                moved = _moved.Task;
            }

            try
            {
                await moved.WaitAsync(s_glance, time, cancellationToken).ConfigureAwait(false);
                since = time.GetTimestamp();
            }
            catch (TimeoutException)
            {
                if (time.GetElapsedTime(since) >= s_patience)
                {
                    // The slowest did not move: the others go on without them.
                    lock (_gate)
                    {
                        TrimLocked(_bytes / 2, long.MaxValue);
                    }

                    since = time.GetTimestamp();
                }
            }
        }
    }

    public int Read(long offset, Span<byte> buffer)
    {
        lock (_gate)
        {
            if (offset < _start)
            {
                throw new IOException("This follower was too slow while the store takes no bytes: they have left memory.");
            }

            foreach ((long start, byte[] bytes) in _chunks)
            {
                if (offset >= start && offset < start + bytes.Length)
                {
                    ReadOnlySpan<byte> rest = bytes.AsSpan((int)(offset - start));
                    int count = Math.Min(rest.Length, buffer.Length);
                    rest[..count].CopyTo(buffer);
                    return count;
                }
            }

            return 0;
        }
    }

    public void Add(GrowingReader reader)
    {
        lock (_gate)
        {
            _readers.Add(reader);
        }
    }

    public void Remove(GrowingReader reader)
    {
        lock (_gate)
        {
            _readers.Remove(reader);
        }

        ReaderMoved();
    }

    public void ReaderMoved()
    {
        if (!HasBegun)
        {
            return;
        }

        TaskCompletionSource? moved;
        lock (_gate)
        {
            moved = _moved;
            _moved = null;
        }

        moved?.TrySetResult();
    }

    private void AddLocked(ReadOnlyMemory<byte> bytes)
    {
        long offset = _chunks.Count == 0 ? _start : _start + _bytes;
        _chunks.Enqueue((offset, bytes.ToArray()));
        _bytes += bytes.Length;
    }

    /// <summary>Nobody needs the bytes any more.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _chunks.Clear();
            _start += _bytes;
            _bytes = 0;
            GiveBackLocked();
        }
    }

    /// <summary>Makes room. What everybody has read goes only when memory is short: a late follower may still want the beginning.</summary>
    private bool TryReserveLocked(int bytes)
    {
        long slowest = SlowestLocked();
        TrimLocked(MaxBytes / 2, slowest);
        if (_bytes + bytes > MaxBytes)
        {
            return false;
        }

        if (_bytes + bytes <= OwnBytes + _borrowed || TryBorrowLocked(bytes))
        {
            return true;
        }

        TrimLocked(OwnBytes / 2, slowest);
        return _bytes + bytes <= OwnBytes + _borrowed;
    }

    private bool TryBorrowLocked(int bytes)
    {
        long wanted = _bytes + bytes - OwnBytes - _borrowed;
        if (!budget.TryTake(wanted))
        {
            return false;
        }

        _borrowed += wanted;
        return true;
    }

    /// <summary>How far everybody is who can still go on: whose next byte has left memory cannot.</summary>
    private long SlowestLocked()
    {
        long slowest = long.MaxValue;
        foreach (GrowingReader reader in _readers)
        {
            if (_start == _begun || reader.Position >= _start)
            {
                slowest = Math.Min(slowest, reader.Position);
            }
        }

        return slowest;
    }

    private void TrimLocked(long most, long slowest)
    {
        while (_bytes > most && _chunks.TryPeek(out (long Offset, byte[] Bytes) oldest) && oldest.Offset + oldest.Bytes.Length <= slowest)
        {
            DropOldestLocked();
        }
    }

    private void GiveBackLocked()
    {
        long spare = Math.Min(_borrowed, Math.Max(0, OwnBytes + _borrowed - _bytes));
        _borrowed -= spare;
        budget.GiveBack(spare);
    }

    private void DropOldestLocked()
    {
        if (_chunks.TryDequeue(out (long Offset, byte[] Bytes) oldest))
        {
            _start = oldest.Offset + oldest.Bytes.Length;
            _bytes -= oldest.Bytes.Length;
            GiveBackLocked();
        }
    }
}
