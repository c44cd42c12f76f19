using Breakwater.CacheStore.Documents;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Tests.Store;

/// <summary>
/// Any file of a running store changes in any way: nothing wrong is read, new objects are taken, and a restart opens what is left.
/// </summary>
public sealed class ChangedFilesFuzzTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly byte[] _document = TestObjects.Bytes(9, 150_000);
    private int _reads;
    private int _misses;

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task AnyFile_ChangedInAnyWay_NothingWrongIsReadAndTheStoreGoesOn(int seed)
    {
        Random random = new(seed);
        byte[][] objects = [.. Enumerable.Range(0, 40).Select(i => TestObjects.Bytes(i, Length(i)))];
        for (int start = 0; start < 4; start++)
        {
            await using FasterObjectStore store = await FasterObjectStore.OpenAsync(
                new StoreOptions
                {
                    Path = _directory.Path,
                    QuotaBytes = 64 << 20,
                    MinFreeBytes = 0,
                    CommitInterval = TimeSpan.FromMilliseconds(1)
                });
            foreach (byte[] bytes in objects)
            {
                await ReadOrStoreAsync(store, bytes, random);
            }

            for (int i = 0; i < 60; i++)
            {
                Change(random);
                StoreFiles.OutlastLook();
                await store.Documents.PutAsync("small", new StoredDocument(_document.AsMemory(0, 100), default, DateTimeOffset.UnixEpoch));
                for (int reads = 0; reads < 6; reads++)
                {
                    await ReadOrStoreAsync(store, objects[random.Next(objects.Length)], random);
                }

                if (i % 20 == 19)
                {
                    await store.EvictToAsync(12 << 20);
                }
            }
        }

        Assert.True(_misses > 20 && _reads > 500, $"{_misses} misses, {_reads} reads");
    }

    /// <summary>Short ones, of one entry, of several parts.</summary>
    private static int Length(int i) => i % 3 == 0 ? 1_000 + (i * 1_500) : i % 3 == 1 ? 70_000 + (i * 4_000) : 300_000 + (i * 20_000);

    private async Task ReadOrStoreAsync(FasterObjectStore store, byte[] bytes, Random random)
    {
        ObjectKey key = TestObjects.KeyOf(bytes);
        _reads++;
        try
        {
            if (store.TryOpen(key, out ObjectLease? lease))
            {
                using (lease)
                {
                    await ReadAsync(lease, bytes, random);
                    return;
                }
            }
        }
        catch (IOException)
        {
            // lost: it is fetched again
        }

        _misses++;
        if (store.Documents.TryGet("long", out StoredDocument? document))
        {
            Assert.Equal(_document, document.Body.ToArray());
        }
        else
        {
            await store.Documents.PutAsync("long", new StoredDocument(_document, default, DateTimeOffset.UnixEpoch));
        }

        Assert.True(await store.WriteAsync(key, bytes) is CommitResult.Committed or CommitResult.AlreadyPresent);
    }

    private static async Task ReadAsync(ObjectLease lease, byte[] bytes, Random random)
    {
        if (lease.TryReadWhole(out ReadOnlySpan<byte> whole))
        {
            Assert.True(whole.SequenceEqual(bytes));
        }

        byte[] buffer = new byte[random.Next(1, 300_000)];
        for (int offset = 0; offset < bytes.Length;)
        {
            int n = lease.TryGetFileRange(offset, out ObjectFileRange range) && random.Next(2) == 0
                ? RandomAccess.Read(range.Handle, buffer.AsSpan(0, Math.Min(buffer.Length, range.Length)), range.FileOffset)
                : lease.TryRead(offset, buffer);
            n = n > 0 ? n : await lease.ReadAsync(offset, buffer);
            Assert.True(buffer.AsSpan(0, n).SequenceEqual(bytes.AsSpan(offset, n)));
            offset += n;
        }
    }

    private void Change(Random random)
    {
        string[] files = [.. Directory.GetFiles(_directory.Path, "*", SearchOption.AllDirectories)
            .Where(static path => !path.Contains("lock", StringComparison.Ordinal) && !path.Contains("spill", StringComparison.Ordinal))
            .Order()];
        string file = files[random.Next(files.Length)];
        SafeFileHandle opened;
        try
        {
            opened = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (FileNotFoundException)
        {
            return; // the store itself deleted it meanwhile
        }

        using SafeFileHandle handle = opened;
        long length = RandomAccess.GetLength(handle);
        switch (random.Next(10))
        {
            case 0:
                RandomAccess.SetLength(handle, length == 0 ? 0 : random.NextInt64(length));
                break;
            case 1:
                File.Delete(file);
                break;
            case 2:
                RandomAccess.Write(handle, new byte[random.Next(10_000)], length == 0 ? 0 : random.NextInt64(length));
                break;
            default:
                byte[] one = new byte[1];
                long at = length == 0 ? 0 : random.NextInt64(length);
                RandomAccess.Read(handle, one, at);
                RandomAccess.Write(handle, [(byte)(one[0] ^ (1 << random.Next(8)))], at);
                break;
        }
    }
}
