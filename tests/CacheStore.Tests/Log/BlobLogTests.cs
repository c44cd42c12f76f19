using System.Collections.Concurrent;
using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Log;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.CacheStore.Tests.Log;

public sealed class BlobLogTests : IDisposable
{
    private static readonly byte[] Payload = TestObjects.Bytes(1, 30_000);

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Append_ThatWaitsForTheDiskWhenTheLogIsClosed_EndsAndSoDoLaterOnes()
    {
        HookedDisk disk = new() { BeforeWrite = static path => ThrowIf(path.EndsWith(".seg", StringComparison.Ordinal)) };
        DiskHealth health = new(TimeProvider.System, NullLogger.Instance);
        LogGeometry geometry = new(PageSizeBits: 16, MemorySizeBits: 18, SegmentSizeBits: 20);
        BlobLog log = BlobLog.Open(_directory.Path, geometry, disk, health, out _);
        EntryHeader header = new(EntryKind.Whole, TestObjects.KeyOf(Payload), Payload.Length, 0, Payload);
        while (log.TryAppend(header, Payload, out _))
        {
        }

        Task waiting = log.AppendAsync(header, Payload, CancellationToken.None).AsTask();
        Task committing = log.CommitAsync();
        Task closing = Task.Run(log.Dispose);

        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.InTimeAsync());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => committing.InTimeAsync());
        await closing.InTimeAsync();
        Assert.False(log.TryAppend(header, Payload, out _));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => log.AppendAsync(header, Payload, CancellationToken.None).AsTask());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => log.CommitAsync());
        health.Dispose();

        static void ThrowIf(bool isOfTheLog)
        {
            if (isOfTheLog)
            {
                throw FaultyDisk.InputOutput;
            }
        }
    }

    /// <summary>
    /// More threads than processors append while pages of the log's memory are exchanged: FASTER let all of them spin, so that next to
    /// nobody came to an end (a soak on a busy machine: 128 threads).
    /// </summary>
    [Fact]
    public async Task Append_ByManyThreadsAtOnceWhileTheMemoryIsFull_AllEntriesAreThere()
    {
        const int Threads = 200;
        const int Entries = 20;
        using DiskHealth health = new(TimeProvider.System, NullLogger.Instance);
        LogGeometry geometry = new(PageSizeBits: 16, MemorySizeBits: 18, SegmentSizeBits: 22);
        using BlobLog log = BlobLog.Open(_directory.Path, geometry, new StoreDisk(), health, out _);
        EntryHeader header = new(EntryKind.Whole, TestObjects.KeyOf(Payload), Payload.Length, 0, Payload);
        ConcurrentBag<long> addresses = [];
        using Barrier begin = new(Threads);
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(_ => new Thread(Append))];
        Array.ForEach(threads, static thread => thread.Start());

        await Task.Run(() => Array.ForEach(threads, static thread => thread.Join())).InTimeAsync();
        await log.CommitAsync().InTimeAsync();

        Assert.Equal(Threads * Entries, addresses.Distinct().Count());
        Assert.All(addresses, address => Assert.InRange(address, BlobLog.FirstAddress, log.CommittedUntilAddress - 1));

        void Append()
        {
            begin.SignalAndWait();
            for (int i = 0; i < Entries; i++)
            {
                addresses.Add(log.TryAppend(header, Payload, out long address)
                    ? address
                    : log.AppendAsync(header, Payload, CancellationToken.None).AsTask().GetAwaiter().GetResult());
            }
        }
    }
}
