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
/// files. Design and measurements: docs/develop/adr/0101-the-log-is-the-truth.md; format: docs/develop/store-format.md.
/// </summary>
public sealed partial class FasterObjectStore : IObjectStore
{
    private readonly StagedObjects _published = new();
    private readonly ExtentCache _extents = new();
    private readonly Lock _indexWrites = new(); // one writer of the index at a time
    private readonly StoreLock _lock;
    private readonly ILogger _logger;
    private readonly FasterDocumentStore _documents;
    private readonly NamedStore? _named;
    private readonly Action<ObjectKey>? _evicting;
    private readonly Scrubber _scrubber;
    private readonly ScrubLoop _scrubbing;
    private int _isDisposed;

    private FasterObjectStore(StoreLock storeLock, StoreParts parts, StoreOptions options, TimeProvider time, ILogger logger)
    {
        _lock = storeLock;
        _logger = logger;
        Disk = parts.Disk;
        Time = time;
        Health = parts.Health;
        Log = parts.Log;
        Index = parts.Index;
        Recovered = parts.Recovered;
        _documents = parts.Documents;
        Pins = parts.Pins;
        Shares = parts.Shares;
        _evicting = options.Evicting;
        _named = options.HasNamed ? new NamedStore(options, parts.QuotaBytes, parts.Disk, time, logger) : null;
        MaxObjectBytes = Math.Min(Math.Min(options.MaxObjectBytes, IndexEntry.LengthLimit - 1), parts.QuotaBytes / 4);
        Unverified = new UnverifiedBytes(Log);
        Budget = new StagingBudget(Math.Min(32 << 20, parts.QuotaBytes / 16));
        Commits = new CommitLoop(Log, Health, Publish, options.CommitInterval, time, logger);
        Space = new SpaceKeeper(this, parts.QuotaBytes, options.MinFreeBytes, logger);
        Commits.Committed = Space.Wake;
        Space.Wake();
        _scrubber = new Scrubber(this, Path.Combine(options.Path!, "quarantine"), logger);
        _scrubbing = new ScrubLoop(_scrubber, options, time, logger);
    }

    /// <summary>What the start found.</summary>
    public StoreRecovery Recovered { get; }

    /// <inheritdoc/>
    public CancellationToken Refusing => Health.Failing;

    /// <inheritdoc/>
    public IDocumentStore Documents => _documents;

    /// <inheritdoc/>
    public PinSets Pins { get; }

    /// <summary>On whose account objects go.</summary>
    public StoreShares Shares { get; }

    /// <summary>What has a name and no content hash, in a store of its own within this one's quota.</summary>
    public NamedStore Named => _named ?? throw new InvalidOperationException("This store has none beside it.");

    /// <summary>How the store stands.</summary>
    public StoreStatistics Statistics => new()
    {
        Objects = Index.Count,
        QuotaBytes = Space.QuotaBytes,
        UsedBytes = Space.UsedBytes,
        FreshBytes = Space.FreshBytes,
        KeptBytes = Space.KeptBytes,
        PinnedBytes = Pins.Bytes,
        Shares = Shares.List(),
        Documents = _documents.Count,
        StoredBytes = Counters.StoredBytes,
        RewrittenBytes = Counters.RewrittenBytes,
        EvictedObjects = Counters.EvictedObjects,
        DamagedObjects = Counters.DamagedObjects,
        WriteFailure = Health.WriteFailure?.Message,
    };

    internal BlobLog Log { get; }

    internal ObjectIndex Index { get; }

    internal StoreDisk Disk { get; }

    internal TimeProvider Time { get; }

    internal DiskHealth Health { get; }

    internal CommitLoop Commits { get; }

    /// <summary>What writers may have in memory beside the log's own pages before they wait for a commit.</summary>
    internal StagingBudget Budget { get; }

    internal UnverifiedBytes Unverified { get; }

    /// <summary>Objects that had their digest when their room had been taken back: what they take the next time is vouched for.</summary>
    internal GhostTable Proven { get; } = new(4096);

    internal SpaceKeeper Space { get; }

    internal RecentReads RecentReads { get; } = new();

    internal StoreCounters Counters { get; } = new();

    /// <summary>The index knows all entries below.</summary>
    internal long PublishedUntilAddress
    {
        get
        {
            // in this order: an entry that is committed by now was watched before
            long committed = Log.CommittedUntilAddress;
            return Math.Min(committed, Commits.LowestUnpublishedAddress);
        }
    }

    /// <summary>Files that the store keeps open when it is full.</summary>
    public int MostOpenFiles => (int)(Space.QuotaBytes / Log.Segments.SegmentBytes) + 16;

    /// <summary>
    /// What of the store was deleted or moved away under this process, for people; null: it is where it was opened. Looks at the disk.
    /// </summary>
    public string? Missing => _lock.Missing;

    internal long MaxObjectBytes { get; }

    /// <summary>What others take of the quota.</summary>
    internal long OthersBytes => _named?.UsedBytes ?? 0;

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
        if (_published.TryGet(key, out StagedObject? staged) && staged.TryAcquire())
        {
            staged.CountUse();
            lease = new StagedLease(staged);
            return true;
        }

        lease = null;
        while (lease is null && Index.TryGet(key, out IndexEntry entry))
        {
            lease = Open(key, entry); // null: it is forgotten now, or the cleaner moved it meanwhile
        }

        return lease is not null;
    }

    /// <inheritdoc/>
    public bool TryReopen(in ObjectKey key, [NotNullWhen(true)] ref ObjectLease? lease)
    {
        if (lease is FasterObjectLease recycled && recycled.IsOf(this) && !_published.Contains(key)
            && Index.TryGet(key, out IndexEntry entry) && !entry.IsSealed && Log.Segments.TryAcquire(entry.Address, out Segment? segment))
        {
            segment.CountUse(entry.Ordinal);
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
    public bool Contains(in ObjectKey key) => _published.Contains(key) || Index.TryGet(key, out _);

    /// <inheritdoc/>
    public ObjectWriter BeginWrite(in ObjectKey key, long? expectedLength, ushort mark = 0) =>
        new FasterObjectWriter(this, key, expectedLength, mark);

    /// <inheritdoc/>
    public bool Remove(in ObjectKey key)
    {
        if (!Contains(key))
        {
            return false;
        }

        AppendRemoved(key); // first: who stores it again from now on does so behind this entry, and has it after a restart
        bool wasStaged = _published.Remove(key);
        lock (_indexWrites)
        {
            if (!Index.TryGet(key, out IndexEntry entry))
            {
                return wasStaged;
            }

            Index.Remove(key, -1);
            Pins.OnGone(key, entry.Length);
            return true;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            await _scrubbing.DisposeAsync();
            Commits.Committed = null;
            await Space.DisposeAsync();
            await Commits.DisposeAsync();
            await _documents.DisposeAsync();
            await (_named?.DisposeAsync() ?? ValueTask.CompletedTask);
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

        StagedObject winner = _published.GetOrAdd(staged);
        earlier = ReferenceEquals(winner, staged) ? null : winner;
        return earlier is null;
    }

    internal void Unpublish(StagedObject staged) => _published.Remove(staged);

    /// <summary>Nothing more of an object is stored, and what the log has of it is of no use; its memory is still let go of.</summary>
    internal void Revoke(StagedObject staged)
    {
        staged.IsRevoked = true;
        Unverified.Settle(staged, isVerified: false);
    }

    /// <summary>Why no new object is taken at present; null: they are.</summary>
    internal CommitResult? WhyRefusing() =>
        Volatile.Read(ref _isDisposed) != 0 ? CommitResult.Failed : Health.WriteFailure is null ? null : CommitResult.StoreFull;

    /// <summary>Back-pressure: waits until the log has flushed enough of what it took.</summary>
    internal async ValueTask<CommitResult?> WaitForStagingAsync(CancellationToken cancellationToken)
    {
        while (Budget.IsExceeded)
        {
            if (WhyRefusing() is { } refusal)
            {
                return refusal;
            }

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

    /// <summary>Back-pressure at the quota: waits while the cleaner makes room. Null: there is room.</summary>
    internal async ValueTask<CommitResult?> WaitForRoomAsync(StagedObject staged, CancellationToken cancellationToken)
    {
        for (int rounds = 0; Space.IsFull; rounds++)
        {
            CancellationToken failing = Health.Failing;
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, failing);
            try
            {
                await Commits.HurryAsync().WaitAsync(either.Token); // what is not committed cannot be cleaned
                bool isFreed = !Space.IsFull || await Space.ProgressAsync().WaitAsync(either.Token);
                rounds = isFreed ? 0 : rounds;
            }
            catch (OperationCanceledException) when (failing.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                return WhyRefusing() ?? CommitResult.Failed;
            }

            if (staged.IsRevoked || WhyRefusing() is not null || rounds >= 3)
            {
                return WhyRefusing() ?? CommitResult.StoreFull;
            }
        }

        return null;
    }

    /// <summary>How often an object was asked for since its entry was written.</summary>
    internal int FrequencyOf(in IndexEntry entry) =>
        Log.Segments.TryGet(Log.Segments.IdOf(entry.Address), out Segment? segment) ? segment.FrequencyOf(entry.Ordinal) : 0;

    /// <summary>The cleaner passed by an object and left it where it is.</summary>
    internal void CoolDown(in IndexEntry entry)
    {
        if (Log.Segments.TryGet(Log.Segments.IdOf(entry.Address), out Segment? segment))
        {
            segment.SetFrequency(entry.Ordinal, EvictionPolicy.AfterRound(segment.FrequencyOf(entry.Ordinal)));
        }
    }

    /// <summary>The cleaner wrote an object to a new place.</summary>
    internal void ApplyMove(in Move move)
    {
        lock (_indexWrites)
        {
            if (!Index.TryGet(move.Key, out IndexEntry entry) || entry.Address != move.From.Address)
            {
                return; // removed while it was being copied, and perhaps stored again: the log says so behind the copied entry
            }

            uint ordinal = Log.Segments.GetOrCreate(Log.Segments.IdOf(move.ToAddress)).AddEntry(move.Frequency);
            Index.Set(move.Key, new IndexEntry(move.ToAddress, entry.Length, entry.IsSealed, ordinal, entry.Owner), entry);
        }

        Counters.AddRewritten(move.From.Length);
    }

    /// <summary>The cleaner drops an object. False: it was gone or elsewhere.</summary>
    internal bool Evict(in ObjectKey key, in IndexEntry entry)
    {
        _evicting?.Invoke(key);
        lock (_indexWrites)
        {
            if (!Index.Remove(key, entry.Address))
            {
                return false;
            }

            Pins.OnGone(key, entry.Length);
        }

        Counters.CountEvicted();
        return true;
    }

    /// <summary>The object at an address turned out to be damaged: it is a miss from now on.</summary>
    internal void Forget(in ObjectKey key, long address, string reason)
    {
        bool isGone;
        lock (_indexWrites)
        {
            isGone = Index.TryGet(key, out IndexEntry entry) && entry.Address == address && Index.Remove(key, address);
            if (isGone)
            {
                Pins.OnGone(key, entry.Length);
            }
        }

        if (isGone)
        {
            Counters.CountDamaged();
            _logger.LogWarning("The store forgot object {Key} at {Address}: {Reason}. It is fetched again when it is asked for.", key,
                address, reason);
            Damaged?.Invoke(key);
        }
    }

    internal static FasterObjectStore Open(StoreOptions options, StoreDisk disk, TimeProvider time, ILogger logger)
    {
        string path = options.Path ?? throw new ArgumentException("Store:Path is not set.", nameof(options));
        StoreFolder.Make(path);
        StoreLock storeLock = StoreLock.Take(path);
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

    /// <summary>The commit loop made an object durable. False: its room was taken back meanwhile.</summary>
    private bool Publish(PendingCommit commit)
    {
        StagedObject staged = commit.Staged;
        if (!staged.IsRevoked)
        {
            int frequency =
                Math.Max(EvictionPolicy.InitialFrequency(Space.Ghosts.Contains(staged.Key.GetHashCode64())),
                Math.Min(staged.Uses, EvictionPolicy.MaxFrequency));
            uint ordinal = Log.Segments.GetOrCreate(Log.Segments.IdOf(commit.Address)).AddEntry(frequency);
            lock (_indexWrites)
            {
                if (_published.TryGet(staged.Key, out StagedObject? current) && ReferenceEquals(current, staged))
                {
                    if (commit.IsSealed)
                    {
                        _extents.Add(commit.Address, staged.Addresses());
                    }

                    // by a second writer that looked before the first one was done
                    bool isStoredAgain = Index.TryGet(staged.Key, out IndexEntry earlier);
                    int owner = Shares.NumberOf(commit.Mark);
                    Index.Set(staged.Key, new IndexEntry(commit.Address, staged.Length, commit.IsSealed, ordinal, owner),
                        isStoredAgain ? earlier : null);
                    if (!isStoredAgain)
                    {
                        Pins.OnStored(staged.Key, staged.Length);
                    }

                    Counters.AddStored(staged.Length);
                }
            }
        }

        Unpublish(staged);
        return !staged.IsRevoked;
    }

    private void AppendRemoved(in ObjectKey key)
    {
        // not durable before the next commit, and not at all while the log is full: what comes back then is still the right bytes
        if (Log.TryAppend(new EntryHeader(EntryKind.Removed, key, 0, 0, default), default, out _))
        {
            Commits.Wake();
        }
    }

    private FasterObjectLease? Open(in ObjectKey key, in IndexEntry entry)
    {
        if (!Log.Segments.TryAcquire(entry.Address, out Segment? segment))
        {
            Forget(key, entry.Address, "its segment is gone");
            return null;
        }

        segment.CountUse(entry.Ordinal);
        if (!entry.IsSealed)
        {
            return new FasterObjectLease(this, key, entry, segment, null, null);
        }

        Extents? extents = _extents.Find(entry.Address) ?? LoadExtents(key, entry);
        if (extents is not null && TryAcquireAll(extents.Addresses) is { } partSegments)
        {
            return new FasterObjectLease(this, key, entry, segment, extents, partSegments);
        }

        segment.Release();
        Forget(key, entry.Address, "some of its parts are gone");
        return null;
    }

    private Extents? LoadExtents(in ObjectKey key, in IndexEntry entry)
    {
        using EntryReader reader = new(Log.Segments);
        return reader.ReadSeal(entry.Address, key, entry.Length) is { } parts ? _extents.Add(entry.Address, parts) : null;
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
