using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Disk;

/// <summary>The few system calls that the runtime does not offer. Linux only; see the manual page of each.</summary>
internal static unsafe partial class Posix
{
    /// <summary>No space left on the device.</summary>
    public const int NoSpace = 28;

    private const int NoWait = 0x8;
    private const int Interrupted = 4;
    private const int ReadOnly = 0x80000; // O_RDONLY | O_CLOEXEC; O_DIRECTORY has another number on arm64
    private const int KeepSize = 0x1;

    /// <summary>
    /// Reads only what the page cache holds (preadv2 with RWF_NOWAIT). −1: nothing of it, or an error. The caller keeps the file open: this
    /// is the path of hits, and counts no reference of its own.
    /// </summary>
    public static int ReadNoWait(SafeFileHandle file, Span<byte> buffer, long offset)
    {
        fixed (byte* start = buffer)
        {
            IoVector vector = new() { Base = start, Length = (nuint)buffer.Length };
            return (int)Preadv2((int)file.DangerousGetHandle(), &vector, 1, (nint)offset, NoWait);
        }
    }

    /// <summary>
    /// Reads (pread), waiting for the device. −1: an error. The caller keeps the file open, as for <see cref="ReadNoWait"/>.
    /// </summary>
    public static int Read(SafeFileHandle file, Span<byte> buffer, long offset)
    {
        fixed (byte* start = buffer)
        {
            return (int)Pread((int)file.DangerousGetHandle(), start, (nuint)buffer.Length, (nint)offset);
        }
    }

    /// <summary>
    /// A file's size and the time of its last change, mixed into one number (statx): another number, and somebody wrote to the file, cut it
    /// or changed its attributes. 0: it cannot be told. The caller keeps the file open, as for <see cref="ReadNoWait"/>.
    /// </summary>
    public static ulong StampOf(SafeFileHandle file)
    {
        const int EmptyPath = 0x1000;
        const uint SizeAndChange = 0x200 | 0x80;
        const int Size = 40;    // offsets in struct statx, the same on every processor
        const int ChangeSeconds = 96;
        const int ChangeNanoseconds = 104;
        byte* found = stackalloc byte[256];
        byte empty = 0;
        if (Statx((int)file.DangerousGetHandle(), &empty, EmptyPath, SizeAndChange, found) != 0)
        {
            return 0;
        }

        ulong change = ((ulong)*(long*)(found + ChangeSeconds) * 1_000_000_000) + *(uint*)(found + ChangeNanoseconds);
        return (change * 0x9E3779B97F4A7C15) + *(ulong*)(found + Size);
    }

    /// <summary>The number of the user to whom a file or directory belongs (statx). Null: it cannot be told.</summary>
    public static uint? OwnerOf(string path)
    {
        const int CurrentDirectory = -100;
        const uint Owner = 0x8;
        const int OwnerAt = 20;
        byte* found = stackalloc byte[256];
        fixed (byte* text = Encoding.UTF8.GetBytes(path + '\0'))
        {
            return Statx(CurrentDirectory, text, 0, Owner, found) == 0 ? *(uint*)(found + OwnerAt) : null;
        }
    }

    /// <summary>Waits until the file's data, and the metadata needed to read it back, is on the device (fdatasync).</summary>
    public static void SyncData(SafeFileHandle file)
    {
        while (Fdatasync(file) != 0)
        {
            ThrowUnlessInterrupted("fdatasync");
        }
    }

    /// <summary>
    /// Asks the device to begin writing a range (sync_file_range). Only a hint: a failure is told by <see cref="SyncData"/>.
    /// </summary>
    public static void StartWriteback(SafeFileHandle file, long offset, long length)
    {
        const uint Write = 2;
        _ = SyncFileRange(file, offset, length, Write);
    }

    /// <summary>Waits until created, renamed and removed names of the directory are on the device.</summary>
    public static void SyncDirectory(string path)
    {
        int descriptor = Open(path, ReadOnly, 0);
        if (descriptor < 0)
        {
            throw Failure("open of directory " + path);
        }

        using SafeFileHandle handle = new(descriptor, ownsHandle: true);
        while (Fsync(handle) != 0)
        {
            ThrowUnlessInterrupted("fsync of directory " + path);
        }
    }

    /// <summary>
    /// Opens a directory and locks it for this process alone (flock); the handle holds the lock. Null: another process has it.
    /// </summary>
    /// <param name="path">The directory.</param>
    /// <param name="isLocked">False: the file system has no such locks (some kinds of NFS).</param>
    public static SafeFileHandle? LockDirectory(string path, out bool isLocked)
    {
        const int ExclusiveNoWait = 2 | 4;
        const int WouldBlock = 11;
        int descriptor = Open(path, ReadOnly, 0);
        if (descriptor < 0)
        {
            throw Failure("open of directory " + path);
        }

        SafeFileHandle handle = new(descriptor, ownsHandle: true);
        isLocked = Flock(handle, ExclusiveNoWait) == 0;
        if (isLocked || Marshal.GetLastPInvokeError() != WouldBlock)
        {
            return handle;
        }

        handle.Dispose();
        return null;
    }

    /// <summary>Reserves blocks without changing the file's size (fallocate). False: the file system cannot.</summary>
    /// <exception cref="IOException">No space.</exception>
    public static bool Reserve(SafeFileHandle file, long offset, long length)
    {
        while (Fallocate(file, KeepSize, (nint)offset, (nint)length) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            if (error == NoSpace)
            {
                throw Failure("fallocate");
            }

            if (error != Interrupted)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Tells the kernel how a range will be used (posix_fadvise): <see cref="FileAdvice"/>. Only a hint: errors are of no consequence.
    /// </summary>
    public static void Advise(SafeFileHandle file, long offset, long length, FileAdvice advice) =>
        _ = Fadvise(file, (nint)offset, (nint)length, (int)advice);

    private static void ThrowUnlessInterrupted(string what)
    {
        if (Marshal.GetLastPInvokeError() != Interrupted)
        {
            throw Failure(what);
        }
    }

    /// <summary>Maps a file from its beginning, read-only and shared (mmap). Not positive: refused.</summary>
    public static nint MapShared(SafeFileHandle file, long bytes)
    {
        const int Readable = 1;
        const int Shared = 1;
        return Mmap(0, (nuint)bytes, Readable, Shared, file, 0);
    }

    /// <summary>Ends a mapping.</summary>
    public static void Unmap(nint start, long bytes) => _ = Munmap(start, (nuint)bytes);

    /// <summary>Asks for huge pages in a range of anonymous memory (madvise). Only a hint.</summary>
    public static void AdviseHuge(nint start, nint bytes)
    {
        const int Huge = 14;
        _ = Madvise(start, (nuint)bytes, Huge);
    }

    /// <summary>
    /// Is every page of a mapped range in the page cache (mincore)? False also when the range is longer than 1 MiB or lies beyond the file.
    /// </summary>
    public static bool IsResident(nint start, int length)
    {
        const int PageBits = 12;
        nint first = start >> PageBits << PageBits;
        int pages = (int)((start + length - first + (1 << PageBits) - 1) >> PageBits);
        byte* states = stackalloc byte[257];
        if (pages > 257 || Mincore(first, (nuint)pages << PageBits, states) != 0)
        {
            return false;
        }

        for (int i = 0; i < pages; i++)
        {
            if ((states[i] & 1) == 0)
            {
                return false;
            }
        }

        return true;
    }

    private static IOException Failure(string what)
    {
        int error = Marshal.GetLastPInvokeError();
        return new IOException($"{what}: {Marshal.GetPInvokeErrorMessage(error)} (errno {error})", error);
    }

    /// <summary>
    /// A file of so many bytes that is memory alone (memfd_create). Null: there are no such files here, or there is no memory.
    /// </summary>
    public static SafeFileHandle? MakeMemoryFile(long bytes)
    {
        const uint CloseOnExec = 1;
        const uint NoExec = 8;
        int file = MemfdCreate("breakwater-staged", CloseOnExec | NoExec);
        file = file < 0 ? MemfdCreate("breakwater-staged", CloseOnExec) : file; // before Linux 6.3
        if (file < 0)
        {
            return null;
        }

        var handle = new SafeFileHandle(file, ownsHandle: true);
        if (Fallocate(handle, 0, 0, (nint)bytes) == 0)
        {
            return handle;
        }

        handle.Dispose();
        return null;
    }

    /// <summary>Maps a file for reading and writing, its pages at once. 0: it cannot be mapped.</summary>
    public static nint MapWritable(SafeFileHandle file, long bytes)
    {
        const int ReadAndWrite = 3;
        const int Shared = 0x1;
        const int Populate = 0x8000;
        nint start = Mmap(0, (nuint)bytes, ReadAndWrite, Shared | Populate, file, 0);
        return start == -1 ? 0 : start;
    }

    private struct IoVector
    {
        public byte* Base;
        public nuint Length;
    }

    [LibraryImport("libc", EntryPoint = "preadv2")]
    private static partial nint Preadv2(int file, IoVector* vectors, int count, nint offset, int flags);

    [LibraryImport("libc", EntryPoint = "pread")]
    private static partial nint Pread(int file, byte* buffer, nuint length, nint offset);

    [LibraryImport("libc", EntryPoint = "statx")]
    private static partial int Statx(int directory, byte* path, int flags, uint mask, byte* found);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Mmap(nint address, nuint length, int protection, int flags, SafeFileHandle file, nint offset);

    [LibraryImport("libc", EntryPoint = "memfd_create", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MemfdCreate(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Munmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    private static partial int Madvise(nint start, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "mincore", SetLastError = true)]
    private static partial int Mincore(nint address, nuint length, byte* states);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int Fdatasync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "sync_file_range")]
    private static partial int SyncFileRange(SafeFileHandle file, long offset, long length, uint flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int Fallocate(SafeFileHandle file, int mode, nint offset, nint length);

    [LibraryImport("libc", EntryPoint = "posix_fadvise", SetLastError = true)]
    private static partial int Fadvise(SafeFileHandle file, nint offset, nint length, int advice);
}
