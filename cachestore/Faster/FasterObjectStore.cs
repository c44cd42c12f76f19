using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Documents;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.CacheStore.Faster;

/// <summary>
/// The object store on FASTER: an index in memory (FasterKV), an append-only log on disk (FasterLog), reads straight from the log's segment files.
/// Design and measurements: docs/adr/0001-the-log-is-the-truth.md; format: docs/store-format.md.
/// </summary>
public sealed class FasterObjectStore : IObjectStore
{
    /// <summary>8 MiB pages with parts of 256 KiB waste about 2 % of the log; 4 of them are what the log keeps in memory.</summary>
    private static readonly LogGeometry ObjectLogGeometry = new(PageSizeBits: 23, MemorySizeBits: 25, SegmentSizeBits: 28);

    /// <summary>What writers may have in memory beside the log's own pages before they wait for a commit.</summary>
    private const long StagingLimitBytes = 32 << 20;

    private readonly ConcurrentDictionary<ObjectKey, StagedObject> _published = new();
    private readonly ExtentCache _extents = new();
    private readonly Lock _indexWrites = new(); // one writer of the index at a time
    private readonly StoreLock _lock;
    private readonly ILogger _logger;
    private readonly FasterDocumentStore _documents;
    private int _isDisposed;

    private FasterObjectStore(StoreLock storeLock, StoreParts parts, StoreOptions options, TimeProvider time, ILogger logger)
    {
        _lock = storeLock;
        _logger = logger;
        Disk = parts.Disk;
        Health = parts.Health;
        Log = parts.Log;
        Index = parts.Index;
        Recovered = parts.Recovered;
        _documents = parts.Documents;
        MaxObjectBytes = options.MaxObjectBytes;
        Commits = new CommitLoop(Log, Health, Publish, options.CommitInterval, time, logger);
    }

    /// <summary>What the start found.</summary>
    public StoreRecovery Recovered { get; }

    /// <inheritdoc/>
    public IDocumentStore Documents => _documents;

    internal BlobLog Log { get; }

    internal ObjectIndex Index { get; }

    internal StoreDisk Disk { get; }

    internal DiskHealth Health { get; }

    internal CommitLoop Commits { get; }

    internal StagingBudget Budget { get; } = new(StagingLimitBytes);

    internal long MaxObjectBytes { get; }

    /// <summary>Opens the store of a directory, or makes one.</summary>
    /// <exception cref="StoreInUseException">Another process has it open.</exception>
    /// <exception cref="IOException">The directory cannot be used.</exception>
    public static Task<FasterObjectStore> OpenAsync(
        StoreOptions options, TimeProvider? time = null, ILogger? logger = null, CancellationToken cancellationToken = default) =>
        OpenAsync(options, new StoreDisk(), time ?? TimeProvider.System, logger ?? NullLogger.Instance, cancellationToken);

    internal static Task<FasterObjectStore> OpenAsync(
        StoreOptions options, StoreDisk disk, TimeProvider time, ILogger logger, CancellationToken cancellationToken) =>
        Task.Run(() => Open(options, disk, time, logger), cancellationToken);

    /// <inheritdoc/>
    public bool TryOpen(in ObjectKey key, [NotNullWhen(true)] out ObjectLease? lease)
    {
        // staged objects first: one that moves to the index meanwhile is found there, the other order could miss it in both
        if (_published.TryGetValue(key, out StagedObject? staged) && staged.TryAcquire())
        {
            lease = new StagedLease(staged);
            return true;
        }

        lease = Index.TryGet(key, out IndexEntry entry) ? Open(key, entry) : null;
        return lease is not null;
    }

    /// <inheritdoc/>
    public bool TryReopen(in ObjectKey key, [NotNullWhen(true)] ref ObjectLease? lease)
    {
        if (lease is FasterObjectLease recycled && !_published.ContainsKey(key) && Index.TryGet(key, out IndexEntry entry) && !entry.IsSealed)
        {
            if (!Log.Segments.TryAcquire(entry.Address, out Segment? segment))
            {
                Forget(key, entry.Address, "its segment is gone");
                return false;
            }

            recycled.Rebind(key, entry, segment);
            return true;
        }

        if (!TryOpen(key, out ObjectLease? opened))
        {
            return false;
        }

        lease = opened;
        return true;
    }

    /// <inheritdoc/>
    public bool Contains(in ObjectKey key) => _published.ContainsKey(key) || Index.TryGet(key, out _);

    /// <inheritdoc/>
    public ObjectWriter BeginWrite(in ObjectKey key, long? expectedLength) => new FasterObjectWriter(this, key, expectedLength);

    /// <inheritdoc/>
    public bool Remove(in ObjectKey key)
    {
        bool wasStaged = _published.TryRemove(key, out _);
        lock (_indexWrites)
        {
            if (!Index.Remove(key, -1) && !wasStaged)
            {
                return false;
            }
        }

        // not durable before the next commit, and not at all while the log is full: what comes back then is still the right bytes
        if (Log.TryAppend(new EntryHeader(EntryKind.Removed, key, 0, 0, default), default, out _))
        {
            Commits.Wake();
        }

        return true;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            await Commits.DisposeAsync();
            await _documents.DisposeAsync();
            Log.Dispose();
            Index.Dispose();
            _lock.Dispose();
        }
    }

    /// <summary>Makes a verified object visible. False: it is here already; <paramref name="earlier"/> when not durable yet.</summary>
    internal bool TryPublish(StagedObject staged, out StagedObject? earlier)
    {
        earlier = null;
        if (Index.TryGet(staged.Key, out _))
        {
            return false;
        }

        StagedObject winner = _published.GetOrAdd(staged.Key, staged);
        earlier = ReferenceEquals(winner, staged) ? null : winner;
        return earlier is null;
    }

    internal void Unpublish(StagedObject staged) => _published.TryRemove(KeyValuePair.Create(staged.Key, staged));

    /// <summary>Why no new object is taken at present; null: they are.</summary>
    internal CommitResult? WhyRefusing() =>
        Volatile.Read(ref _isDisposed) != 0 ? CommitResult.Failed : Health.WriteFailure is null ? null : CommitResult.StoreFull;

    /// <summary>Back-pressure: waits until the log has flushed enough of what it took.</summary>
    internal async ValueTask<CommitResult?> WaitForStagingAsync(CancellationToken cancellationToken)
    {
        while (Budget.IsExceeded)
        {
            CancellationToken failing = Health.Failing;
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, failing);
            try
            {
                await Commits.HurryAsync().WaitAsync(either.Token);
            }
            catch (OperationCanceledException) when (failing.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                return WhyRefusing() ?? CommitResult.Failed;
            }
        }

        return null;
    }

    /// <summary>The object at an address turned out to be damaged: it is a miss from now on.</summary>
    internal void Forget(in ObjectKey key, long address, string reason)
    {
        bool isGone;
        lock (_indexWrites)
        {
            isGone = Index.Remove(key, address);
        }

        if (isGone)
        {
            _logger.LogWarning("The store forgot object {Key} at {Address}: {Reason}. It is fetched again when it is asked for.", key, address, reason);
        }
    }

    private static FasterObjectStore Open(StoreOptions options, StoreDisk disk, TimeProvider time, ILogger logger)
    {
        string path = options.Path ?? throw new ArgumentException("Store:Path is not set.", nameof(options));
        Directory.CreateDirectory(path);
        StoreLock storeLock = StoreLock.Take(path);
        try
        {
            StoreParts parts = StoreParts.Open(path, ObjectLogGeometry, options, disk, time, logger);
            return new FasterObjectStore(storeLock, parts, options, time, logger);
        }
        catch
        {
            storeLock.Dispose();
            throw;
        }
    }

    private void Publish(PendingCommit commit)
    {
        StagedObject staged = commit.Staged;
        uint ordinal = Log.Segments.GetOrCreate(Log.Segments.IdOf(commit.Address)).AddEntry(isChecked: !commit.IsSealed);
        lock (_indexWrites)
        {
            if (_published.TryGetValue(staged.Key, out StagedObject? current) && ReferenceEquals(current, staged))
            {
                Index.Set(staged.Key, new IndexEntry(commit.Address, staged.Length, commit.IsSealed, ordinal));
            }
        }

        Unpublish(staged);
    }

    private FasterObjectLease? Open(in ObjectKey key, in IndexEntry entry)
    {
        if (!Log.Segments.TryAcquire(entry.Address, out Segment? segment))
        {
            Forget(key, entry.Address, "its segment is gone");
            return null;
        }

        if (!entry.IsSealed)
        {
            return new FasterObjectLease(this, key, entry, segment, null, null);
        }

        Extents? extents = _extents.Find(entry.Address) ?? LoadExtents(key, entry, segment);
        if (extents is not null && TryAcquireAll(extents.Addresses) is { } partSegments)
        {
            return new FasterObjectLease(this, key, entry, segment, extents, partSegments);
        }

        segment.Release();
        Forget(key, entry.Address, "some of its parts are gone");
        return null;
    }

    private Extents? LoadExtents(in ObjectKey key, in IndexEntry entry, Segment segment)
    {
        int parts = (int)((entry.Length + StagedObject.PartBytes - 1) / StagedObject.PartBytes);
        byte[] bytes = new byte[EntryHeader.SizeBytes + (parts * sizeof(long))];
        try
        {
            int n = Disk.ReadFully(segment.Handle, bytes, Log.Segments.OffsetOf(entry.Address) + BlobLog.LengthPrefixBytes);
            EntryHeader header = EntryHeader.Read(bytes);
            ReadOnlySpan<byte> list = bytes.AsSpan(EntryHeader.SizeBytes);
            bool isRight = n == bytes.Length && header.IsValid && header.Kind == EntryKind.Seal && header.Key == key
                && header.ObjectLength == entry.Length && header.Matches(list);
            return isRight ? _extents.Add(entry.Address, MemoryMarshal.Cast<byte, long>(list).ToArray()) : null;
        }
        catch (IOException failure)
        {
            _logger.LogWarning(failure, "The list of parts of object {Key} cannot be read.", key);
            return null;
        }
    }

    private Segment[]? TryAcquireAll(long[] addresses)
    {
        List<Segment> held = [];
        int last = -1;
        foreach (long address in addresses)
        {
            int id = Log.Segments.IdOf(address);
            if (id == last || held.Exists(segment => segment.Id == id))
            {
                continue;
            }

            if (!Log.Segments.TryAcquire(address, out Segment? segment))
            {
                held.ForEach(static s => s.Release());
                return null;
            }

            held.Add(segment);
            last = id;
        }

        return [.. held];
    }
}
