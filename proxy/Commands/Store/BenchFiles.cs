using System.Diagnostics;
using System.Runtime.InteropServices;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.Proxy.Commands.Store;

/// <summary>
/// The plain ways to write objects that the store is compared to. Each removes its files; each gives MB/s. The digest is checked where the
/// store checks it, too.
/// </summary>
/// <param name="directory">For the files; made and removed each time.</param>
internal sealed partial class BenchFiles(string directory)
{
    /// <summary>How many files are on their way to the disk at once: their syncs share the journal's commits.</summary>
    private const int WritersOfDurableFiles = 16;

    public static double MegabytesPerSecond((ObjectKey Key, byte[] Bytes)[] objects, TimeSpan time) =>
        objects.Sum(o => (long)o.Bytes.Length) / time.TotalSeconds / 1e6;

    /// <summary>
    /// What an acknowledgement of the store promises, done with a file each: temporary name, fsync, rename, fsync of the directory.
    /// </summary>
    public Task<double> WriteEachDurablyAsync((ObjectKey Key, byte[] Bytes)[] objects) => RunAsync(objects, async () =>
    {
        using SafeFileHandle parent = OpenDirectory(directory);
        await Parallel.ForEachAsync(objects, new ParallelOptions { MaxDegreeOfParallelism = WritersOfDurableFiles }, (o, _) =>
        {
            Check(o);
            string path = Path.Combine(directory, o.Key.ToString());
            using (SafeFileHandle file = File.OpenHandle(path + ".new", FileMode.CreateNew, FileAccess.Write))
            {
                RandomAccess.Write(file, o.Bytes, 0);
                RandomAccess.FlushToDisk(file);
            }

            File.Move(path + ".new", path);
            if (Fsync(parent) != 0)
            {
                throw new IOException($"fsync of {directory} failed.");
            }

            return ValueTask.CompletedTask;
        });
    });

    /// <summary>A file each, left to the kernel to write some time.</summary>
    public Task<double> WriteEachAsync((ObjectKey Key, byte[] Bytes)[] objects) => RunAsync(objects, () =>
    {
        foreach ((ObjectKey Key, byte[] Bytes) o in objects)
        {
            Check(o);
            File.WriteAllBytes(Path.Combine(directory, o.Key.ToString()), o.Bytes);
        }

        return Task.CompletedTask;
    });

    /// <summary>All into one file, synced at its end: what dd conv=fsync does.</summary>
    public Task<double> WriteOneAsync((ObjectKey Key, byte[] Bytes)[] objects) => RunAsync(objects, () =>
    {
        using SafeFileHandle file = File.OpenHandle(Path.Combine(directory, "one"), FileMode.CreateNew, FileAccess.Write);
        long offset = 0;
        foreach ((_, byte[] bytes) in objects)
        {
            RandomAccess.Write(file, bytes, offset);
            offset += bytes.Length;
        }

        RandomAccess.FlushToDisk(file);
        return Task.CompletedTask;
    });

    private static void Check((ObjectKey Key, byte[] Bytes) o)
    {
        if (!o.Key.DigestEquals(ObjectHasher.Hash(DigestAlgorithm.Sha1, o.Bytes)))
        {
            throw new InvalidOperationException("A bench object is wrong.");
        }
    }

    private static SafeFileHandle OpenDirectory(string path) // File.OpenHandle refuses directories
    {
        const int ReadOnly = 0x80000; // O_RDONLY | O_CLOEXEC; O_DIRECTORY has another number on arm64
        int descriptor = Open(path, ReadOnly);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw new IOException($"{path} cannot be opened.");
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Fsync(SafeFileHandle file);

    private async Task<double> RunAsync((ObjectKey Key, byte[] Bytes)[] objects, Func<Task> write)
    {
        Directory.CreateDirectory(directory);
        try
        {
            Stopwatch time = Stopwatch.StartNew();
            await write();
            return MegabytesPerSecond(objects, time.Elapsed);
        }
        finally
        {
            Directory.Delete(directory, recursive: true); // also what is not written yet: it must not meet the next measurement
        }
    }
}
