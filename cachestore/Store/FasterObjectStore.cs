using System.Diagnostics.CodeAnalysis;
using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Documents;
using Breakwater.CacheStore.Index;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Pins;
using Breakwater.CacheStore.Quotas;
using Breakwater.CacheStore.Scrubbing;
using Breakwater.CacheStore.Space;
using Breakwater.CacheStore.Staging;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.CacheStore.Store;

/// <summary>
/// The object store on FASTER: an index in memory (FasterKV), an append-only log on disk (FasterLog), reads straight from the log's segment
/// files. Design and measurements: docs/develop/adr/0101-the-log-is-the-truth.md; format: docs/develop/store-format.md; its rooms:
/// docs/develop/adr/0127-the-stores-rooms-and-its-one-table.md.
/// </summary>
public sealed class FasterObjectStore : IObjectStore
{
    private readonly StoreLock _lock;
    private readonly StoredObjects _stored;
    private readonly Intake _intake;
    private readonly TimeProvider _time;
    private readonly FasterDocumentStore? _documents;
    private readonly NamedStore? _named;
    private readonly Scrubber _scrubber;
    private readonly ScrubLoop _scrubbing;
    private int _isDisposed;

    private FasterObjectStore(StoreLock storeLock, StoreParts parts, StoreOptions options, TimeProvider time, ILogger logger)
    {
        _lock = storeLock;
        _time = time;
        Health = parts.Health;
        Log = parts.Log;
        Recovered = parts.Recovered;
        _documents = parts.Documents;
        Pins = parts.Pins;
        Shares = parts.Shares;
        _named = options.IsNamed ? null : new NamedStore(options, parts.QuotaBytes, parts.Disk, time, logger);
        Table = new ObjectTable(parts.Index, Log, Pins, Shares, options.Evicting, logger);
        _stored = new StoredObjects(Table, Log.Segments, time);
        Unverified = new UnverifiedBytes(Log);
        Commits = new CommitLoop(Log, Health, Publish, options.CommitInterval, time, logger);
        SpaceLimits limits = new(parts.QuotaBytes, options.MinFreeBytes, () => _named?.UsedBytes ?? 0);
        Space = new SpaceKeeper(Table, Log, Commits, Unverified, Health, limits, logger);
        long mostBytes = Math.Min(Math.Min(options.MaxObjectBytes, IndexEntry.LengthLimit - 1), parts.QuotaBytes / 4);
        _intake = new Intake(Table, Log, Commits, Unverified, Space, Health, parts.QuotaBytes, mostBytes);
        Commits.Committed = Space.Wake;
        Space.Wake();
        _scrubber = new Scrubber(Table, Log, Path.Combine(options.Path!, "quarantine"), logger);
        _scrubbing = new ScrubLoop(_scrubber, options, time, logger);
    }

    /// <summary>What the start found.</summary>
    public StoreRecovery Recovered { get; }

    /// <inheritdoc/>
    public CancellationToken Refusing => Health.Failing;

    /// <summary>Small mutable entries in the same store.</summary>
    public IDocumentStore Documents => _documents ?? throw new InvalidOperationException("This store has none.");

    /// <summary>Sets of objects that are never evicted.</summary>
    public PinSets Pins { get; }

    /// <summary>On whose account objects go.</summary>
    public StoreShares Shares { get; }

    /// <summary>What has a name and no content hash, in a store of its own within this one's quota.</summary>
    public NamedStore Named => _named ?? throw new InvalidOperationException("This store has none beside it.");

    /// <summary>
    /// Told of each stored object that was found damaged and forgotten, by the scrubber, the cleaner or a read; fetch it again when it is
    /// pinned. Must not block.
    /// </summary>
    public Action<ObjectKey>? Damaged
    {
        get => Table.Damaged;
        set => Table.Damaged = value;
    }

    /// <summary>
    /// Does another machine of the site keep this object as well? Then it makes room sooner, unless it is pinned or hot. Null: there is
    /// none. It must not wait.
    /// </summary>
    public Func<ObjectKey, bool>? IsElsewhere
    {
        get => Space.IsElsewhere;
        set => Space.IsElsewhere = value;
    }

    /// <summary>How the store stands.</summary>
    public StoreStatistics Statistics => new()
    {
        Objects = Table.Count,
        QuotaBytes = Space.QuotaBytes,
        UsedBytes = Space.UsedBytes,
        FreshBytes = Space.FreshBytes,
        KeptBytes = Space.KeptBytes,
        PinnedBytes = Pins.Bytes,
        Shares = Shares.List(),
        Documents = _documents?.Count ?? 0,
        StoredBytes = Table.Counters.StoredBytes,
        RewrittenBytes = Table.Counters.RewrittenBytes,
        EvictedObjects = Table.Counters.EvictedObjects,
        DamagedObjects = Table.Counters.DamagedObjects,
        WriteFailure = Health.WriteFailure?.Message,
    };

    /// <summary>Files that the store keeps open when it is full.</summary>
    public int MostOpenFiles => (int)(Space.QuotaBytes / Log.Segments.SegmentBytes) + 16;

    /// <summary>
    /// What of the store was deleted or moved away under this process, for people; null: it is where it was opened. Looks at the disk.
    /// </summary>
    public string? Missing => _lock.Missing;

    internal ObjectTable Table { get; }

    internal BlobLog Log { get; }

    internal DiskHealth Health { get; }

    internal CommitLoop Commits { get; }

    internal UnverifiedBytes Unverified { get; }

    internal SpaceKeeper Space { get; }

    /// <inheritdoc/>
    public long MaxObjectBytes => _intake.MostBytes;

    internal StagingBudget Budget => _intake.Budget;

    /// <summary>Opens the store of a directory, or makes one.</summary>
    /// <exception cref="StoreInUseException">Another process has it open.</exception>
    /// <exception cref="IOException">The directory cannot be used.</exception>
    public static Task<FasterObjectStore> OpenAsync(
        StoreOptions options, TimeProvider? time = null, ILogger? logger = null, CancellationToken cancellationToken = default) =>
        OpenAsync(options, new StoreDisk(), time ?? TimeProvider.System, logger ?? NullLogger.Instance, cancellationToken);

    internal static Task<FasterObjectStore> OpenAsync(
        StoreOptions options, StoreDisk disk, TimeProvider time, ILogger logger, CancellationToken cancellationToken) =>
        Task.Run(() => Open(options, disk, time, logger), cancellationToken);

    internal static FasterObjectStore Open(StoreOptions options, StoreDisk disk, TimeProvider time, ILogger logger)
    {
        string path = options.Path ?? throw new ArgumentException("Store:Path is not set.", nameof(options));
        disk.MakeFolder(path);
        StoreLock storeLock = StoreLock.Take(path, disk);
        try
        {
            StoreParts parts = StoreParts.Open(path, options, disk, time, logger);
            return new FasterObjectStore(storeLock, parts, options, time, logger);
        }
        catch
        {
            storeLock.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool TryOpen(in ObjectKey key, [NotNullWhen(true)] out ObjectLease? lease)
    {
        if (Table.TryGetStaged(key, out StagedObject? staged) && staged.TryAcquire())
        {
            staged.CountUse();
            lease = new StagedLease(staged);
            return true;
        }

        bool isStored = _stored.TryOpen(key, out FasterObjectLease? stored);
        lease = stored;
        return isStored;
    }

    /// <inheritdoc/>
    public bool TryReopen(in ObjectKey key, [NotNullWhen(true)] ref ObjectLease? lease)
    {
        if (lease is FasterObjectLease recycled && _stored.TryReopen(key, recycled))
        {
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
    public bool Contains(in ObjectKey key) => Table.Contains(key);

    /// <inheritdoc/>
    public ObjectWriter BeginWrite(in ObjectKey key, long? expectedLength, ushort mark = 0) =>
        new FasterObjectWriter(_intake, key, expectedLength, mark);

    /// <inheritdoc/>
    public bool Remove(in ObjectKey key)
    {
        if (!Contains(key))
        {
            return false;
        }

        AppendRemoved(key); // first: who stores it again from now on does so behind this entry, and has it after a restart
        return Table.Remove(key);
    }

    /// <summary>
    /// The objects that the store holds, in the order of the log. Read from the segments as it is enumerated: what changes meanwhile may or
    /// may not be seen.
    /// </summary>
    public IEnumerable<StoredObjectInfo> List() => Table.List();

    /// <summary>One object as <see cref="List"/> shows it; null: it is not in the log.</summary>
    public StoredObjectInfo? Find(in ObjectKey key) => Table.Find(key);

    /// <summary>Reads and hashes every object once; of named slices the checksums are compared.</summary>
    /// <param name="bytesPerSecond">Null: as fast as the disk can; else at most so much, and only while the process is not busy.</param>
    /// <param name="isRepairing">Forget what is bad, so that it is fetched again? Else it is only reported.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    public async Task<ScrubReport> VerifyAsync(long? bytesPerSecond, bool isRepairing, CancellationToken cancellationToken = default)
    {
        ScrubPace? pace = bytesPerSecond is { } rate ? new ScrubPace(rate, _time) : null;
        ScrubReport own = await Task.Run(() => _scrubber.PassAsync(pace, isRepairing, cancellationToken), cancellationToken);
        if (_named is not { IsOpen: true })
        {
            return own;
        }

        ScrubReport named = await _named.VerifyAsync(bytesPerSecond, isRepairing, cancellationToken);
        return new ScrubReport(own.Objects + named.Objects, own.Bytes + named.Bytes, [.. own.Damaged, .. named.Damaged]);
    }

    /// <summary>Evicts by the store's own policy until its segments take at most so many bytes, or what is left is pinned.</summary>
    /// <returns>What they take now.</returns>
    public Task<long> EvictToAsync(long bytes, CancellationToken cancellationToken = default) =>
        Space.EvictToAsync(bytes, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            _intake.Close();
            await _scrubbing.DisposeAsync();
            Commits.Committed = null;
            await Space.DisposeAsync();
            await Commits.DisposeAsync();
            await (_documents?.DisposeAsync() ?? ValueTask.CompletedTask);
            await (_named?.DisposeAsync() ?? ValueTask.CompletedTask);
            Log.Dispose();
            Table.Dispose();
            _lock.Dispose();
        }
    }

    /// <summary>The commit loop made an object durable. False: its room was taken back meanwhile.</summary>
    private bool Publish(PendingCommit commit)
    {
        StagedObject staged = commit.Staged;
        bool isStored = !staged.IsRevoked;
        if (isStored)
        {
            int frequency = EvictionPolicy.InitialFrequency(Space.Ghosts.Contains(staged.Key.GetHashCode64()));
            Table.Enter(commit, Math.Max(frequency, Math.Min(staged.Uses, EvictionPolicy.MaxFrequency)));
        }

        Table.Unpublish(staged);
        return isStored;
    }

    private void AppendRemoved(in ObjectKey key)
    {
        // not durable before the next commit, and not at all while the log is full: what comes back then is still the right bytes
        if (Log.TryAppend(new EntryHeader(EntryKind.Removed, key, 0, 0, default), default, out _))
        {
            Commits.Wake();
        }
    }
}
