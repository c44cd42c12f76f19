using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Log;
using Microsoft.Extensions.Logging;

namespace Breakwater.CacheStore.Documents;

/// <summary>
/// Documents in a log of their own: all keys and the small documents are in memory, larger ones are read from the log's files. The
/// newest entry of a key in the log is the document; at start the log is read through.
/// </summary>
internal sealed class FasterDocumentStore : IDocumentStore, IAsyncDisposable
{
    /// <summary>Manifests, whitelists and heads are far below: they are answered from memory.</summary>
    private const int InMemoryBytes = 64 << 10;

    private static readonly LogGeometry Geometry = new(PageSizeBits: 23, MemorySizeBits: 24, SegmentSizeBits: 25);

    private readonly BlobLog _log;
    private readonly DocumentReader _entries;
    private readonly DiskHealth _health;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<string, Place> _places = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _appending = new(1); // entries and _places change in the same order
    private readonly ConcurrentQueue<string> _owed = new(); // keys whose removal the log is still to tell

    private readonly List<string> _moved = []; // of the compaction that runs
    private readonly Lock _compacting = new();
    private Task _compaction = Task.CompletedTask; // guarded by _compacting
    private volatile bool _isClosing;
    private int _lastTail;

    private FasterDocumentStore(BlobLog log, DiskHealth health, ILogger logger)
    {
        _log = log;
        _entries = new DocumentReader(log, logger);
        _health = health;
        _logger = logger;
    }

    public int Count => _places.Count;

    /// <summary>Bytes of the log, with what waits for its disk.</summary>
    public long LogBytes => _log.TailAddress - _log.BeginAddress;

    public int MaxDocumentBytes => _log.MaxPayloadBytes - DocumentEntry.MaxKeyBytes - 64;

    public static FasterDocumentStore Open(string directory, StoreDisk disk, DiskHealth health, ILogger logger)
    {
        using Opening opening = new();
        BlobLog log = opening.Add(BlobLog.Open(directory, Geometry, disk, health, out CommittedRange range));
        FasterDocumentStore store = new(log, health, logger);
        LogScanner scanner = new(log.Segments, log.Geometry.PageSizeBits);
        foreach (ScannedEntry entry in scanner.Scan(range.BeginAddress, range.UntilAddress))
        {
            store.Recover(entry);
        }

        if (scanner.DamagedPages + scanner.UnreadablePages > 0)
        {
            logger.LogWarning("{Count} pages of the documents' log are damaged or cannot be read; what was in them is fetched again.",
                scanner.DamagedPages + scanner.UnreadablePages);
        }

        opening.Complete();
        return store;
    }

    public bool TryGet(string key, [NotNullWhen(true)] out StoredDocument? document)
    {
        document = null;
        while (document is null && _places.TryGetValue(key, out Place? place))
        {
            document = place.InMemory ?? LoadOf(key, place);
            if (document is null && TryForget(key, place)) // else it moved meanwhile
            {
                _logger.LogWarning("The store forgot document {Key}: its bytes at {Address} are damaged. It is fetched again.", key,
                    place.Address);
            }
        }

        return document is not null;
    }

    public async ValueTask PutAsync(string key, StoredDocument document, CancellationToken cancellationToken = default)
    {
        if (document.Body.Length + (long)document.Head.Length > MaxDocumentBytes
            || Encoding.UTF8.GetByteCount(key) > DocumentEntry.MaxKeyBytes)
        {
            throw new ArgumentException($"Document '{key}' of {document.Body.Length} bytes is too long (limit {MaxDocumentBytes}).",
                nameof(document));
        }

        CancellationToken failing = _health.Failing;
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, failing);
        try
        {
            Show(key, document);
            await _appending.WaitAsync(cancellationToken);
            try
            {
                await AppendRemovalsAsync(either.Token);

                // Removed meanwhile, or appended by one that was put later: then there is nothing to do.
                if (_places.TryGetValue(key, out Place? now) && !now.IsAppended)
                {
                    await AppendAsync(key, now, now.InMemory!, either.Token);
                }
            }
            finally
            {
                _appending.Release();
            }

            await _log.CommitAsync(either.Token);
        }
        catch (OperationCanceledException) when (failing.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"Document '{key}' could not be made durable: the store's disk refuses writes.", _health.WriteFailure);
        }
        catch (ObjectDisposedException closed)
        {
            throw new IOException($"Document '{key}' could not be made durable: the store is closed.", closed);
        }

        DropFromMemory(key);
        StartCompactionIfDue();
    }

    public bool Remove(string key)
    {
        if (!_places.TryRemove(key, out _))
        {
            return false;
        }

        _owed.Enqueue(key);
        if (_appending.Wait(0)) // else whoever appends tells the log
        {
            try
            {
                while (_owed.TryPeek(out string? next) && (!IsGone(next) || TryAppendRemoval(next)))
                {
                    _owed.TryDequeue(out _);
                }
            }
            finally
            {
                _appending.Release();
            }
        }

        return true;
    }

    public IReadOnlyList<string> Keys(string prefix = "") =>
        [.. _places.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal))];

    public async ValueTask DisposeAsync()
    {
        Task last;
        lock (_compacting)
        {
            _isClosing = true;
            last = _compaction;
        }

        await last;
        await LastCommit.MakeAsync(CommitRemovalsAsync, "the documents' log", _logger);
        _log.Dispose(); // _appending is not disposed of: whoever waits for it would do so for ever
    }

    /// <summary>A manifest is put again every minute: what was replaced is given up segment by segment, oldest first.</summary>
    private void StartCompactionIfDue()
    {
        int tail = _log.Segments.IdOf(_log.TailAddress);
        if (Interlocked.Exchange(ref _lastTail, tail) != tail && IsCompactionDue())
        {
            lock (_compacting)
            {
                _compaction = _isClosing || !_compaction.IsCompleted ? _compaction : Task.Run(CompactAsync);
            }
        }
    }

    private bool IsCompactionDue()
    {
        long live = _places.Values.Sum(static place => BlobLog.SizeOf(place.PayloadBytes));
        long segments = _log.Segments.IdOf(_log.TailAddress) - _log.Segments.IdOf(_log.BeginAddress);
        return segments >= 2 && segments * _log.Segments.SegmentBytes > 2 * live;
    }

    private async Task CompactAsync()
    {
        try
        {
            while (!_isClosing && IsCompactionDue() && await TryEmptyOldestSegmentAsync())
            {
            }
        }
        catch (Exception failure)
        {
            _logger.LogWarning(failure, "The documents' log could not be compacted now; it is tried again later.");
        }
    }

    /// <summary>Appends what is alive in the oldest segment again, then gives the segment up. False: it is still being written.</summary>
    private async Task<bool> TryEmptyOldestSegmentAsync()
    {
        int oldest = _log.Segments.IdOf(_log.BeginAddress);
        long end = _log.Segments.StartOf(oldest + 1);
        if (end > _log.CommittedUntilAddress)
        {
            return false;
        }

        foreach ((string key, Place place) in _places)
        {
            if (place.Address >= 0 && place.Address < end)
            {
                await MoveToTailAsync(key, place);
            }
        }

        await _log.CommitAsync(_health.Failing);
        foreach (string key in _moved)
        {
            DropFromMemory(key);
        }

        _moved.Clear();
        _log.TruncateUntil(end);
        await _log.CommitAsync(_health.Failing);
        _log.RemoveGivenUp();
        return true;
    }

    private async Task MoveToTailAsync(string key, Place place)
    {
        CancellationToken failing = _health.Failing;
        await _appending.WaitAsync(failing);
        try
        {
            if (!_places.TryGetValue(key, out Place? now) || now.Address != place.Address)
            {
                return; // put again or removed meanwhile
            }

            StoredDocument? document = now.InMemory ?? LoadOf(key, now);
            if (document is null)
            {
                TryForget(key, now);
                return;
            }

            _moved.Add(key);
            await AppendAsync(key, now, document, failing);
        }
        finally
        {
            _appending.Release();
        }
    }

    private async Task CommitRemovalsAsync()
    {
        CancellationToken failing = _health.Failing;
        await _appending.WaitAsync(failing);
        try
        {
            await AppendRemovalsAsync(failing);
        }
        finally
        {
            _appending.Release();
        }

        await _log.CommitAsync(failing);
    }

    /// <summary>
    /// Shows a document that is not in the log yet. Until then it has the address of the one before: that must not be given up without it.
    /// </summary>
    private void Show(string key, StoredDocument document)
    {
        int payloadBytes = DocumentEntry.LengthOf(key, document);
        _places.AddOrUpdate(key,
            static (_, shown) => new Place(shown.Document, -1, shown.PayloadBytes, IsAppended: false, new object()),
            static (_, before, shown) => before with { InMemory = shown.Document, PayloadBytes = shown.PayloadBytes, IsAppended = false },
            (Document: document, PayloadBytes: payloadBytes));
    }

    /// <summary>
    /// The document of a place cannot be read, and is gone like one that was removed: an older entry must not stand in for it after a
    /// restart. False: it is at another place by now.
    /// </summary>
    private bool TryForget(string key, Place place)
    {
        bool isForgotten = _places.TryRemove(KeyValuePair.Create(key, place));
        if (isForgotten)
        {
            _owed.Enqueue(key);
        }

        return isForgotten;
    }

    /// <summary>Writes a document of that name to the log's end. For who holds <see cref="_appending"/>.</summary>
    private async Task AppendAsync(string key, Place place, StoredDocument document, CancellationToken cancellationToken)
    {
        long address = await AppendAsync(EntryKind.Document, DocumentEntry.Encode(key, document), cancellationToken);

        // A newer one may have been shown meanwhile, which has yet to be written. After a removal it has nothing to do with this entry.
        while (_places.TryGetValue(key, out Place? now) && now.Life == place.Life)
        {
            bool isIt = now.InMemory is null || ReferenceEquals(now.InMemory, document);
            if (_places.TryUpdate(key,
                now with { Address = address, InMemory = now.InMemory ?? document, IsAppended = now.IsAppended || isIt }, now))
            {
                break;
            }
        }

        await AppendRemovalsAsync(cancellationToken);
    }

    /// <summary>A long document that the log's files have is read from there.</summary>
    private void DropFromMemory(string key)
    {
        if (_places.TryGetValue(key, out Place? place) && place.IsAppended && place.PayloadBytes > InMemoryBytes
            && place.Address < _log.FlushedUntilAddress)
        {
            _places.TryUpdate(key, place with { InMemory = null }, place);
        }
    }

    private async ValueTask AppendRemovalsAsync(CancellationToken cancellationToken)
    {
        while (_owed.TryPeek(out string? key))
        {
            if (IsGone(key))
            {
                await AppendAsync(EntryKind.DocumentRemoved, DocumentEntry.Encode(key, null), cancellationToken);
            }

            _owed.TryDequeue(out _);
        }
    }

    private bool TryAppendRemoval(string key)
    {
        byte[] payload = DocumentEntry.Encode(key, null);
        return _log.TryAppend(new EntryHeader(EntryKind.DocumentRemoved, default, payload.Length, 0, payload), payload, out _);
    }

    /// <summary>Else a document of that name has come since, and its entry is behind the removed one's.</summary>
    private bool IsGone(string key) => !_places.TryGetValue(key, out Place? now) || now.Address < 0;

    private ValueTask<long> AppendAsync(EntryKind kind, byte[] payload, CancellationToken cancellationToken) =>
        _log.AppendAsync(new EntryHeader(kind, default, payload.Length, 0, payload), payload, cancellationToken);

    private void Recover(in ScannedEntry entry)
    {
        StoredDocument? document = _entries.Load(entry.Address, entry.Header.PayloadLength, out string key);
        if (document is null)
        {
            _logger.LogWarning("A document in the store's log at {Address} is damaged and left out.", entry.Address);
        }
        else if (entry.Header.Kind == EntryKind.DocumentRemoved)
        {
            _places.TryRemove(key, out _);
        }
        else if (entry.Header.Kind == EntryKind.Document)
        {
            _places[key] =
                new Place(entry.Header.PayloadLength <= InMemoryBytes ? document : null, entry.Address, entry.Header.PayloadLength, true,
                    new object());
        }
    }

    private StoredDocument? LoadOf(string key, Place place) =>
        _entries.Load(place.Address, place.PayloadBytes, out string found) is { } document && found == key ? document : null;

    /// <summary>Where a document is.</summary>
    /// <param name="InMemory">Small, or not durable yet; null: it is read from the log.</param>
    /// <param name="Address">Of its entry, or of that of the one before until it has one; −1: there is none.</param>
    /// <param name="PayloadBytes">Of its entry.</param>
    /// <param name="IsAppended">Has it an entry?</param>
    /// <param name="Life">The same for all that were put one after the other without a removal in between.</param>
    private sealed record Place(StoredDocument? InMemory, long Address, int PayloadBytes, bool IsAppended, object Life);
}
