using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Heads;
using Microsoft.Extensions.Logging;

namespace Breakwater.CacheStore.Store;

/// <summary>
/// What has a name and no content hash: bodies in slices, and heads that tell of them. A store of its own beside the objects', with a
/// share of the quota, so that nothing in it evicts an object (docs/develop/adr/0105-generic-bodies-have-a-store-of-their-own.md). Opened
/// by its first user, or at a start where it was before. Thread-safe.
/// </summary>
public sealed class NamedStore : IAsyncDisposable
{
    /// <summary>Its directory within the store's.</summary>
    public const string DirectoryName = "named";

    private const long LeastSlicesBytes = 16L << 20;
    private const long MostHeadsBytes = 4L << 30;

    private readonly string _path;
    private readonly StoreOptions _options;
    private readonly StoreDisk _disk;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _opening = new();
    private Opened? _opened; // written under _opening
    private bool _isDisposed; // guarded by _opening

    internal NamedStore(StoreOptions options, long storeQuotaBytes, StoreDisk disk, TimeProvider time, ILogger logger)
    {
        _path = Path.Combine(options.Path!, DirectoryName);
        _options = options;
        _disk = disk;
        _time = time;
        _logger = logger;
        QuotaBytes = Math.Max((long)(options.NamedShare * storeQuotaBytes), LeastSlicesBytes + HeadLimits.LeastBytes);
        if (disk.HasFolder(_path))
        {
            Open();
        }
    }

    /// <summary>Has anybody used it, in this process or one before?</summary>
    public bool IsOpen => Volatile.Read(ref _opened) is not null;

    /// <summary>What all in it may take on disk; part of the store's quota.</summary>
    public long QuotaBytes { get; }

    /// <summary>What it takes on disk.</summary>
    public long UsedBytes => Volatile.Read(ref _opened) is { } opened ? opened.Slices.Space.UsedBytes + opened.Heads.UsedBytes : 0;

    /// <summary>How the slices stand; null: never opened.</summary>
    public StoreStatistics? Statistics => Volatile.Read(ref _opened)?.Slices.Statistics;

    /// <summary>
    /// Bodies in slices of at most 1 MiB, by <see cref="Hashing.NamedKey"/>. A slice is written once: its name says all that its bytes
    /// depend on.
    /// </summary>
    /// <exception cref="IOException">It is not open yet, and cannot be opened.</exception>
    public IObjectStore Slices => Open().Slices;

    /// <summary>
    /// What is said of bodies, by name. A head may be there while slices of its body are not: whoever serves it looks first.
    /// </summary>
    /// <exception cref="IOException">It is not open yet, and cannot be opened.</exception>
    public IHeadStore Heads => Open().Heads;

    /// <summary>Files that it keeps open when it is full: segments of the slices, at most 64 of the heads, and some.</summary>
    public int MostOpenFiles => (int)(QuotaBytes >> StoreParts.GeometryFor(QuotaBytes).SegmentSizeBits) + 96;

    /// <summary>Compares the checksums of all slices, as <see cref="FasterObjectStore.VerifyAsync"/> does.</summary>
    internal Task<Scrubbing.ScrubReport> VerifyAsync(long? bytesPerSecond, bool isRepairing, CancellationToken cancellationToken) =>
        Open().Slices.VerifyAsync(bytesPerSecond, isRepairing, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Opened? opened;
        lock (_opening)
        {
            _isDisposed = true;
            opened = _opened;
        }

        if (opened is not null)
        {
            await opened.Heads.DisposeAsync();
            await opened.Slices.DisposeAsync();
        }
    }

    private Opened Open()
    {
        if (Volatile.Read(ref _opened) is { } opened)
        {
            return opened;
        }

        lock (_opening)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_opened is null)
            {
                Volatile.Write(ref _opened, OpenParts());
            }

            return _opened!;
        }
    }

    private Opened OpenParts()
    {
        long headsQuota = Math.Clamp(QuotaBytes / 16, HeadLimits.LeastBytes, MostHeadsBytes);
        var options = new StoreOptions
        {
            Path = _path,
            QuotaBytes = QuotaBytes - headsQuota,
            LeastQuotaBytes = LeastSlicesBytes,
            IsNamed = true,
            MinFreeBytes = _options.MinFreeBytes,
            IndexMemoryBytes = _options.NamedIndexMemoryBytes,
            ScrubBytesPerSecond = _options.ScrubBytesPerSecond,
            ScrubInterval = _options.ScrubInterval,
            CommitInterval = _options.CommitInterval,
        };
        FasterObjectStore slices = FasterObjectStore.Open(options, _disk, _time, _logger);
        try
        {
            var limits = new HeadLimits(headsQuota, HeadLog.MostHeads, options.CommitInterval);
            string heads = Path.Combine(_path, "heads");
            return new Opened(slices, StoreParts.OpenOrMoveAside(
                heads, _disk, _time, _logger, () => HeadLog.Open(heads, limits, _disk, new DiskHealth(_time, _logger), _time, _logger)));
        }
        catch
        {
            slices.DisposeAsync().AsTask().GetAwaiter().GetResult();
            throw;
        }
    }

    private sealed record Opened(FasterObjectStore Slices, HeadLog Heads);
}
