using Breakwater.CacheStore.Hashing;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Staging;

namespace Breakwater.CacheStore.Store;

/// <summary>
/// Writes one object: parts go to the log as they fill; an object of one part goes there only after its digest matched; a longer one
/// becomes real by its seal. What an abort or a crash leaves are parts without a seal: nothing points to them, eviction takes them.
/// </summary>
internal sealed class FasterObjectWriter : ObjectWriter
{
    private readonly Intake _intake;
    private readonly StagedObject _staged;
    private readonly ObjectHasher _hasher;
    private readonly long? _expectedLength;
    private readonly bool _isProven;
    private readonly ushort _mark; // whose it is
    private int _placed; // parts that the log took
    private CommitResult? _refusal;
    private StagedObject? _earlier; // another writer's object of the same key
    private bool _isVerified;
    private bool _isPublished;
    private bool _isCommitting;
    private bool _isDisposed;

    public FasterObjectWriter(Intake intake, in ObjectKey key, long? expectedLength, ushort mark)
    {
        _intake = intake;
        _staged = new StagedObject(key, intake.Log.Segments, intake.Budget);
        _hasher = ObjectHasher.Create(key.Algorithm);
        _expectedLength = expectedLength;
        _mark = mark;
        _isProven = intake.IsProven(key);
        if (expectedLength > intake.MostBytes)
        {
            _refusal = CommitResult.TooLarge;
        }
    }

    public override ObjectKey Key => _staged.Key;

    public override long Length => _staged.Length;

    public override async ValueTask<CommitResult?> AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken = default)
    {
        _hasher.Append(bytes.Span);
        if (_refusal is null && Length + bytes.Length > _intake.MostBytes)
        {
            _refusal = CommitResult.TooLarge;
        }

        _refusal ??= _staged.IsRevoked ? CommitResult.StoreFull : _intake.WhyRefusing();
        while (_refusal is null && bytes.Length > 0)
        {
            int taken = _staged.Parts.Fill(bytes.Span, _expectedLength - _staged.Length);
            bytes = bytes[taken..];
            if (taken == 0)
            {
                _refusal = await PlaceLastPartAsync(cancellationToken) ?? await _intake.WaitForStagingAsync(cancellationToken);
                if (_refusal is null)
                {
                    _staged.Parts.Start(bytes.Length, _expectedLength - _staged.Length);
                }
            }
        }

        if (_refusal is not null && !_staged.IsRevoked)
        {
            _intake.Unverified.Revoke(_staged); // it is in nobody's way any more
        }

        return _refusal;
    }

    public override int TryRead(long offset, Span<byte> buffer) => _staged.TryRead(offset, buffer);

    public override bool TryGetMapped(long offset, out MappedRun run, out IDisposable? hold)
    {
        bool isMapped = _staged.TryGetMapped(offset, out run, out StagedBuffer? held);
        hold = held; // its Dispose lets the reference go
        return isMapped;
    }

    public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _staged.ReadAsync(offset, buffer, cancellationToken);

    public override bool Verify()
    {
        ObjectKey key = Key;
        _isVerified = key.Algorithm == DigestAlgorithm.Named ? Length == _expectedLength : _hasher.Matches(key);
        if (_isVerified && _refusal is null)
        {
            _intake.Unverified.Settle(_staged, isVerified: true);
            _isPublished = _intake.Table.TryPublish(_staged, out _earlier);
        }

        return _isVerified;
    }

    public override async Task<CommitResult> CommitAsync()
    {
        if (!_isVerified)
        {
            return CommitResult.HashMismatch;
        }

        CommitResult result = await CommitVerifiedAsync();
        if (result == CommitResult.StoreFull)
        {
            _intake.SetProven(Key); // its room may be taken back at any moment, up to the commit itself
        }

        return result;
    }

    public override ValueTask DisposeAsync()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            if (!_isCommitting)
            {
                Fail(CommitResult.Failed);
            }

            _hasher.Dispose();
            _staged.Release();
        }

        return ValueTask.CompletedTask;
    }

    private async Task<CommitResult> CommitVerifiedAsync()
    {
        if (_refusal is { } refusal)
        {
            Fail(refusal);
            return refusal;
        }

        if (!_isPublished)
        {
            CommitResult earlier = _earlier is null ? CommitResult.Committed : await _earlier.Committed.Task;
            return earlier == CommitResult.Committed ? CommitResult.AlreadyPresent : earlier;
        }

        _isCommitting = true;
        _staged.Acquire(); // whoever waits may be called off and dispose this while its bytes go into the log
        try
        {
            PendingCommit? pending = await AppendLastEntriesAsync();
            if (pending is null)
            {
                Fail(_refusal ?? CommitResult.Failed);
            }
            else
            {
                _staged.Acquire(); // the loop's
                _intake.Commits.Enqueue(pending.Value);
            }
        }
        catch (Exception)
        {
            Fail(CommitResult.Failed);
            throw;
        }
        finally
        {
            _staged.Release();
        }

        return await _staged.Committed.Task;
    }

    private async Task<PendingCommit?> AppendLastEntriesAsync()
    {
        if (_placed == 0 && _staged.Parts.Count <= 1)
        {
            ReadOnlyMemory<byte> payload = _staged.Parts.Count == 0 ? default : _staged.Parts.Memory(0);
            EntryHeader whole = new(EntryKind.Whole, Key, Length, 0, payload.Span, _mark);
            _intake.Commits.Watch(_staged);
            return await AppendAsync(whole, payload, CancellationToken.None) is { } at ? Placed(0, at, isSealed: false) : null;
        }

        if (await PlaceLastPartAsync(CancellationToken.None) is not null)
        {
            return null;
        }

        byte[] seal = Entries.Seal(Key, Length, _staged.Parts.Addresses(), _mark);
        ReadOnlyMemory<byte> list = seal.AsMemory(EntryHeader.SizeBytes);
        return await AppendAsync(EntryHeader.Read(seal), list, CancellationToken.None) is { } address
            ? new PendingCommit(_staged, address, true, _mark)
            : null;
    }

    private PendingCommit Placed(int part, long address, bool isSealed)
    {
        if (_staged.Parts.Count > 0)
        {
            _staged.Parts.Place(part, address, isVerified: true);
        }

        return new PendingCommit(_staged, address, isSealed, _mark);
    }

    private async ValueTask<CommitResult?> PlaceLastPartAsync(CancellationToken cancellationToken)
    {
        int part = _staged.Parts.Count - 1;
        if (_placed > part)
        {
            return null;
        }

        ReadOnlyMemory<byte> payload = _staged.Parts.Memory(part);
        EntryHeader header = new(EntryKind.Part, Key, _expectedLength ?? 0, part, payload.Span, _mark);
        _intake.Commits.Watch(_staged);
        if (await AppendAsync(header, payload, cancellationToken) is not { } address)
        {
            return _refusal;
        }

        bool isVerified = _isVerified || _isProven;
        _staged.Parts.Place(part, address, isVerified);
        if (!isVerified)
        {
            _intake.Unverified.Add(payload.Length);
        }

        _placed++;
        if (_intake.Budget.IsHalfUsed)
        {
            _intake.Commits.Hurry();
        }

        return null;
    }

    /// <summary>Appends an entry. Null: the disk refuses, and so do we from now on.</summary>
    private async ValueTask<long?> AppendAsync(EntryHeader header, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        _refusal = await _intake.WaitForRoomAsync(_staged, cancellationToken);
        if (_refusal is not null)
        {
            return null;
        }

        if (_intake.Log.TryAppend(header, payload, out long address))
        {
            return address;
        }

        return await AppendWhenFlushedAsync(header, payload, cancellationToken);
    }

    private async ValueTask<long?> AppendWhenFlushedAsync(EntryHeader header, ReadOnlyMemory<byte> payload,
        CancellationToken cancellationToken)
    {
        long address = -1;
        _refusal = await _intake.WhileWritableAsync(
            async token => address = await _intake.Log.AppendAsync(header, payload, token), cancellationToken);
        return _refusal is null ? address : null;
    }

    private void Fail(CommitResult result)
    {
        _intake.Commits.Unwatch(_staged);
        _staged.Parts.LeaveLog();
        _intake.Unverified.Settle(_staged, isVerified: false);
        if (_isPublished)
        {
            _intake.Table.Unpublish(_staged);
        }

        _staged.Committed.TrySetResult(result);
    }
}
