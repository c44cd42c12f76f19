using System.Runtime.InteropServices;
using Breakwater.CacheStore.Disk;
using FASTER.core;

namespace Breakwater.CacheStore.Log;

/// <summary>
/// An append-only log of entries (header and payload) on FasterLog. Reads go around FASTER to the segment files. Thread-safe.
/// </summary>
/// <remarks>
/// After a restart the log goes on at the next page: bytes that were acknowledged are never written again, so no torn sector can
/// take them along. What the commit record does not cover is overwritten, and the rest of the page that it ends in is voided
/// (<see cref="EndPage"/>).
/// </remarks>
internal sealed class BlobLog : IDisposable
{
    /// <summary>FasterLog's own prefix of an entry: its length.</summary>
    public const int LengthPrefixBytes = 4;

    /// <summary>Bytes of an entry beside its payload.</summary>
    public const int EntryOverheadBytes = LengthPrefixBytes + EntryHeader.SizeBytes;

    /// <summary>The first address of a log.</summary>
    public const long FirstAddress = 64;

    private readonly FasterLog _log;
    private readonly SegmentDevice _device;
    private readonly CommitRecord _commitRecord;
    private readonly DiskHealth _health;
    private readonly CancellationTokenSource _closing = new();
    private readonly ManualResetEventSlim _isUnused = new();

    // FASTER spins while a page of its memory is exchanged for the next: each thread that appends, for as long as the one that exchanges it
    // waits for a processor. So one thread appends at a time, and one of those who wait for a flush.
    private readonly Lock _append = new();
    private readonly SemaphoreSlim _slowAppend = new(1, 1);
    private ReferenceCount _users = new(); // the log itself, and calls of FASTER that are under way

    private BlobLog(FasterLog log, SegmentDevice device, CommitRecord commitRecord, SegmentSet segments, LogGeometry geometry,
        DiskHealth health)
    {
        _log = log;
        _device = device;
        _commitRecord = commitRecord;
        _health = health;
        Segments = segments;
        Geometry = geometry;
    }

    public SegmentSet Segments { get; }

    public LogGeometry Geometry { get; }

    /// <summary>Entries below are gone, or about to be.</summary>
    public long BeginAddress => _log.BeginAddress;

    /// <summary>Where the log begins after a crash: segments below are of no use to anybody.</summary>
    public long DurableBeginAddress => _log.CommittedBeginAddress;

    /// <summary>Entries below are in the segment files and can be read there.</summary>
    public long FlushedUntilAddress => _log.FlushedUntilAddress;

    /// <summary>Entries below survive a crash.</summary>
    public long CommittedUntilAddress => _log.CommittedUntilAddress;

    public long TailAddress => _log.TailAddress;

    /// <summary>What a part of full length takes of the log: its share of the page's unused end is in it.</summary>
    public long PartFootprint => (1L << Geometry.PageSizeBits) / ((1L << Geometry.PageSizeBits) / SizeOf(PartSize.Full));

    public int MaxPayloadBytes => (1 << Geometry.PageSizeBits) - EntryOverheadBytes - (int)FirstAddress;

    /// <summary>Bytes that an entry takes in the log.</summary>
    public static long SizeOf(int payloadLength) => LengthPrefixBytes + ((EntryHeader.SizeBytes + (long)payloadLength + 3) & ~3L);

    /// <summary>Did opening fail because the files are of another format, or make no sense to FASTER?</summary>
    public static bool IsUnreadable(Exception failure) => failure is StoreFormatException or InvalidDataException or FasterException;

    /// <summary>Opens or makes the log of a directory.</summary>
    /// <param name="directory">Of this log alone.</param>
    /// <param name="geometry">For a new log; an existing one keeps its own.</param>
    /// <param name="disk">Where the files are.</param>
    /// <param name="health">Told of failures.</param>
    /// <param name="recovered">What was durable: begin and end of the entries to scan. Empty for a new log.</param>
    public static BlobLog Open(string directory, LogGeometry geometry, StoreDisk disk, DiskHealth health, out CommittedRange recovered)
    {
        disk.MakeFolder(directory);
        bool isRecorded = CommitRecord.TryRead(directory, disk, out recovered);
        if (isRecorded)
        {
            geometry = geometry with { PageSizeBits = recovered.PageSizeBits, SegmentSizeBits = recovered.SegmentSizeBits };
        }

        using Opening opening = new();
        SegmentSet segments = opening.Add(new SegmentSet(directory, geometry.SegmentSizeBits, disk));
        if (!isRecorded)
        {
            recovered = RangeOfFiles(segments, geometry);
        }

        foreach (int id in segments.FreshIds)
        {
            if (id < segments.IdOf(recovered.BeginAddress))
            {
                segments.Remove(id); // truncated, but the process died before the file was removed
            }
        }

        SegmentDevice device = opening.Add(new SegmentDevice(segments, health));
        CommitRecord commitRecord =
            opening.Add(new CommitRecord(directory, geometry.PageSizeBits, geometry.SegmentSizeBits, disk, health));
        FasterLog log = opening.Add(new FasterLog(new FasterLogSettings
        {
            LogDevice = device,
            LogCommitManager = commitRecord,
            PageSizeBits = geometry.PageSizeBits,
            MemorySizeBits = Math.Max(geometry.MemorySizeBits, geometry.PageSizeBits + 1),
            SegmentSizeBits = geometry.SegmentSizeBits,
            LogChecksum = LogChecksumType.None,
            TryRecoverLatest = false,
        }));
        if (recovered.UntilAddress > FirstAddress)
        {
            long pageSize = 1L << geometry.PageSizeBits;
            long nextPage = (recovered.UntilAddress + pageSize - 1) & ~(pageSize - 1);
            EndPage(segments, recovered.UntilAddress, nextPage);
            log.Initialize(recovered.BeginAddress, nextPage);
        }

        opening.Complete();
        return new BlobLog(log, device, commitRecord, segments, geometry, health);
    }

    /// <summary>
    /// Voids what a killed process left in the page behind the last durable entry: later commits cover that page, and a scan would take
    /// an entry of it, perhaps half written, for a durable one. A blank header ends the page for all scans to come.
    /// </summary>
    private static void EndPage(SegmentSet segments, long until, long nextPage)
    {
        Span<byte> head = stackalloc byte[(int)Math.Min(EntryOverheadBytes, nextPage - until)];
        if (head.IsEmpty || !segments.TryGet(segments.IdOf(until), out Segment? segment))
        {
            return;
        }

        try
        {
            int found = segments.Disk.ReadFully(segment.Handle, head, segments.OffsetOf(until));
            if (head[..found].ContainsAnyExcept((byte)0))
            {
                head.Clear();
                segment.Write(head, segments.OffsetOf(until));
                segments.Disk.Sync(segment.Handle);
            }
        }
        catch (IOException)
        {
            // the disk's failures are told by the log's writes; whoever reads such an entry checks it
        }
    }

    /// <summary>
    /// What the segment files themselves say, when the commit record is lost: all of them. Entries that no commit covered may be among
    /// them: whole and right, or left out by their checksums.
    /// </summary>
    private static CommittedRange RangeOfFiles(SegmentSet segments, LogGeometry geometry)
    {
        IReadOnlyList<int> ids = segments.FreshIds;
        if (ids.Count == 0)
        {
            return new CommittedRange(FirstAddress, FirstAddress, geometry.PageSizeBits, geometry.SegmentSizeBits);
        }

        long begin = Math.Max(FirstAddress, segments.StartOf(ids[0]));
        long lastBytes = Math.Min(segments.SegmentBytes, segments.Disk.LengthOf(segments.PathOf(ids[^1])));
        long until = Math.Max(begin, segments.StartOf(ids[^1]) + lastBytes);
        return new CommittedRange(begin, until, geometry.PageSizeBits, geometry.SegmentSizeBits);
    }

    /// <summary>Appends an entry, waiting while the pages in memory are full.</summary>
    /// <returns>Its address.</returns>
    /// <exception cref="OperationCanceledException">The token, or the disk refuses writes (<see cref="DiskHealth.Failing"/>).</exception>
    /// <exception cref="ObjectDisposedException">The log is closed, or was meanwhile.</exception>
    public ValueTask<long> AppendAsync(in EntryHeader header, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        Entry entry = new(header, payload);
        return WhileOpenAsync(
            async token =>
            {
                await _slowAppend.WaitAsync(token);
                try
                {
                    return await _log.EnqueueAsync(entry, token);
                }
                finally
                {
                    _slowAppend.Release();
                }
            },
            cancellationToken);
    }

    /// <summary>Appends an entry. False: the pages in memory are full, or the log is closed.</summary>
    public bool TryAppend(in EntryHeader header, ReadOnlyMemory<byte> payload, out long address)
    {
        address = -1;
        if (!_users.TryAcquire())
        {
            return false;
        }

        try
        {
            lock (_append)
            {
                return _log.TryEnqueue(new Entry(header, payload), out address);
            }
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>
    /// Makes all that was appended before the call durable, and a truncation effective. Waits as long as the disk refuses.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The log is closed, or was meanwhile.</exception>
    public async Task CommitAsync(CancellationToken cancellationToken = default) =>
        await WhileOpenAsync(
            async token =>
            {
                await _log.CommitAsync(token);
                return 0;
            },
            cancellationToken);

    /// <summary>Gives up entries below a segment's start with the next commit; <see cref="RemoveGivenUp"/> after it.</summary>
    public void TruncateUntil(long address) => _log.TruncateUntil(address);

    /// <summary>
    /// Removes the files of what was given up and committed. FASTER would do so some time after that commit, perhaps many segments later:
    /// so the disk never has more of them than the owner of the log gives up at once. One caller at a time.
    /// </summary>
    /// <exception cref="IOException">The disk refuses it; the next call, or the next start, tries it again.</exception>
    public void RemoveGivenUp()
    {
        int begin = Segments.IdOf(_log.CommittedBeginAddress);
        foreach (int id in Segments.FreshIds)
        {
            if (id >= begin)
            {
                return;
            }

            Segments.Remove(id);
        }
    }

    /// <summary>Closes the log when whoever is in a call has left: waits end, and an entry that is being copied is there.</summary>
    public void Dispose()
    {
        _closing.Cancel();
        Leave();
        _isUnused.Wait();
        _commitRecord.StopRetrying();
        _health.RetryNow();
        _log.Dispose();
        _device.Dispose();
        _commitRecord.Dispose();
        Segments.Dispose();
        _closing.Dispose();
        _isUnused.Dispose();
        _slowAppend.Dispose();
    }

    /// <summary>FASTER's log must not be called once it is disposed: it waits for ever then, or spins.</summary>
    private async ValueTask<long> WhileOpenAsync(Func<CancellationToken, ValueTask<long>> call, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(!_users.TryAcquire(), this);
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
            return await call(either.Token);
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ObjectDisposedException(nameof(BlobLog));
        }
        finally
        {
            Leave();
        }
    }

    private void Leave()
    {
        if (_users.Release())
        {
            _isUnused.Set();
        }
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly struct Entry(EntryHeader header, ReadOnlyMemory<byte> payload) : ILogEnqueueEntry
    {
        public int SerializedLength => EntryHeader.SizeBytes + payload.Length;

        public void SerializeTo(Span<byte> dest)
        {
            header.Write(dest);
            payload.Span.CopyTo(dest[EntryHeader.SizeBytes..]);
        }
    }
}
