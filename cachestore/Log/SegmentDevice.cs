using System.Collections.Concurrent;
using Breakwater.CacheStore.Disk;
using FASTER.core;

namespace Breakwater.CacheStore.Log;

/// <summary>
/// FASTER's window on the segment files: a write is complete when it is durable. Writes go one after the other, each with its own sync, so
/// that a failed sync is never mistaken for the success of a neighbour, and a failed write is tried again from memory until the disk takes
/// it: the log waits (and the store refuses new objects) instead of being lost.
/// </summary>
internal sealed class SegmentDevice : StorageDeviceBase
{
    private const uint SectorBytes = 512;

    private readonly SegmentSet _segments;
    private readonly DiskHealth _health;
    private readonly BlockingCollection<PendingWrite> _writes = [];
    private readonly Thread _writer;
    private volatile bool _isClosing;

    public SegmentDevice(SegmentSet segments, DiskHealth health)
        : base(System.IO.Path.Combine(segments.DirectoryPath, "log"), SectorBytes, Devices.CAPACITY_UNSPECIFIED)
    {
        _segments = segments;
        _health = health;
        startSegment = segments.FreshIds is [int first, ..] ? first : 0;
        _writer = new Thread(WriteLoop) { IsBackground = true, Name = "store-writer" };
        _writer.Start();
    }

    public override void WriteAsync(IntPtr sourceAddress, int segmentId, ulong destinationAddress, uint numBytesToWrite,
        DeviceIOCompletionCallback callback, object context) =>
        _writes.Add(new PendingWrite(sourceAddress, segmentId, (long)destinationAddress, (int)numBytesToWrite, callback, context));

    public override void ReadAsync(int segmentId, ulong sourceAddress, IntPtr destinationAddress, uint readLength,
        DeviceIOCompletionCallback callback, object context) =>
        throw new NotSupportedException("The log's bytes are read from its segment files, around FASTER.");

    /// <summary>The files are removed by <see cref="BlobLog.RemoveGivenUp"/>, as soon as that may be.</summary>
    public override void RemoveSegmentAsync(int segment, AsyncCallback callback, IAsyncResult result) => callback(result);

    public override void Dispose()
    {
        _isClosing = true;
        _writes.CompleteAdding();
        _writer.Join();
        _writes.Dispose();
    }

    private void WriteLoop()
    {
        foreach (PendingWrite write in _writes.GetConsumingEnumerable())
        {
            uint error = 0;
            while (!TryWrite(write))
            {
                if (_isClosing)
                {
                    error = 1;
                    break;
                }

                _health.WaitBeforeRetry();
            }

            write.Callback(error, error == 0 ? (uint)write.Length : 0, write.Context);
        }
    }

    private unsafe bool TryWrite(in PendingWrite write)
    {
        try
        {
            Segment segment = _segments.GetOrCreate(write.SegmentId);
            segment.Write(new ReadOnlySpan<byte>((void*)write.Source, write.Length), write.Offset);
            _segments.Disk.Sync(segment.Handle);
            _health.ReportSuccess();
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            _health.Report(failure);
            return false;
        }
    }

    private readonly record struct PendingWrite(IntPtr Source, int SegmentId, long Offset, int Length, DeviceIOCompletionCallback Callback,
        object Context);
}
