using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Disk;

/// <summary>
/// Everything that the store asks of the disk, in one place: the seam at which tests inject full disks, I/O errors, torn and lost writes.
/// Thread-safe.
/// </summary>
internal class StoreDisk
{
    private const int WritebackBytes = 1 << 20;

    /// <summary>
    /// The kernel does not stop in the middle of copying a write into the page cache: others who want the processor wait for its end.
    /// </summary>
    private const int WriteBytes = 64 << 10;

    /// <summary>Opens a file for reading and writing, made when missing.</summary>
    public virtual SafeFileHandle Open(string path) =>
        File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>
    /// Writes all of <paramref name="bytes"/>. Not durable before <see cref="Sync"/>, but the device begins with a long write's first bytes
    /// while the rest is still being copied.
    /// </summary>
    public virtual void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset)
    {
        for (int done = 0; done < bytes.Length;)
        {
            int n = Math.Min(bytes.Length - done, WriteBytes);
            RandomAccess.Write(file, bytes.Slice(done, n), offset + done);
            done += n;
            if (done % WritebackBytes == 0 && done < bytes.Length)
            {
                Posix.StartWriteback(file, offset + done - WritebackBytes, WritebackBytes);
            }
        }
    }

    /// <summary>Makes earlier writes of the file durable.</summary>
    public virtual void Sync(SafeFileHandle file) => Posix.SyncData(file);

    /// <summary>Makes created and removed names of a directory durable.</summary>
    public virtual void SyncDirectory(string path) => Posix.SyncDirectory(path);

    /// <summary>Reserves space. False: not supported here.</summary>
    public virtual bool Reserve(SafeFileHandle file, long offset, long length) => Posix.Reserve(file, offset, length);

    /// <summary>Reads up to the buffer's length, waiting for the device. 0: end of file.</summary>
    public virtual int Read(SafeFileHandle file, Span<byte> buffer, long offset) => RandomAccess.Read(file, buffer, offset);

    /// <summary>As <see cref="Read"/>, without holding the calling thread.</summary>
    public virtual ValueTask<int> ReadAsync(SafeFileHandle file, Memory<byte> buffer, long offset, CancellationToken cancellationToken) =>
        RandomAccess.ReadAsync(file, buffer, offset, cancellationToken);

    /// <summary>
    /// Reads what the page cache holds; negative when nothing of it is there, or the file system cannot tell. The caller holds the file's
    /// segment.
    /// </summary>
    public virtual int TryRead(SafeFileHandle file, Span<byte> buffer, long offset) => Posix.ReadNoWait(file, buffer, offset);

    /// <summary>
    /// As <see cref="TryRead"/>, for what it read a moment ago: cheaper, but waits for the device when it left the page cache since.
    /// </summary>
    public virtual int ReadAgain(SafeFileHandle file, Span<byte> buffer, long offset) => Posix.Read(file, buffer, offset);

    /// <summary>
    /// Size and time of the last change of a file as one number; 0: it cannot be told. The caller holds the file's segment.
    /// </summary>
    public virtual ulong StampOf(SafeFileHandle file) => Posix.StampOf(file);

    /// <summary>Removes a file's name; its bytes stay readable through open handles.</summary>
    public virtual void Delete(string path) => File.Delete(path);

    /// <summary>Gives a file another one's name, which is replaced. Not durable before <see cref="SyncDirectory"/>.</summary>
    public virtual void Replace(string path, string name) => File.Move(path, name, overwrite: true);

    /// <summary>Is there a file of this name?</summary>
    public virtual bool HasFile(string path) => File.Exists(path);

    /// <summary>Is there a directory of this name?</summary>
    public virtual bool HasFolder(string path) => Directory.Exists(path);

    /// <summary>The number of the user to whom a directory belongs; null: it cannot be told.</summary>
    public virtual uint? OwnerOf(string path) => OperatingSystem.IsLinux() ? Posix.OwnerOf(path) : null;

    /// <summary>Makes a directory of the store where there is none, as <see cref="StoreFolder.Make"/>.</summary>
    public virtual void MakeFolder(string path) => StoreFolder.Make(path);

    /// <summary>Gives a directory another name.</summary>
    public virtual void MoveFolder(string path, string name) => Directory.Move(path, name);

    /// <summary>Paths of a directory's files whose names match a pattern, in no order.</summary>
    public virtual IReadOnlyList<string> FilesOf(string folder, string pattern = "*") => Directory.GetFiles(folder, pattern);

    /// <summary>Paths of a directory's files, those first that were not written to for the longest time.</summary>
    public virtual IReadOnlyList<string> FilesByAge(string folder) =>
        [.. new DirectoryInfo(folder).GetFiles().OrderBy(static file => file.LastWriteTimeUtc).Select(static file => file.FullName)];

    /// <summary>What a directory's files whose names match a pattern take, bytes; 0: there is no such directory.</summary>
    public virtual long BytesOf(string folder, string pattern = "*") =>
        Directory.Exists(folder) ? new DirectoryInfo(folder).EnumerateFiles(pattern).Sum(static file => file.Length) : 0;

    /// <summary>Size of a file, bytes.</summary>
    public virtual long LengthOf(string path) => new FileInfo(path).Length;

    /// <summary>Cuts a file, or makes it longer.</summary>
    public virtual void SetLength(SafeFileHandle file, long bytes) => RandomAccess.SetLength(file, bytes);

    /// <summary>All of a small file.</summary>
    public virtual byte[] ReadAll(string path) => File.ReadAllBytes(path);

    /// <summary>Makes or replaces a small file that all may read, as <see cref="WholeFile.Write"/>.</summary>
    public virtual void WriteWhole(string path, ReadOnlySpan<byte> bytes) => WholeFile.Write(path, bytes, WholeFile.Readable);

    /// <summary>Opens a file, made when missing, for one process at a time.</summary>
    /// <exception cref="IOException">Another one has it.</exception>
    public virtual SafeFileHandle OpenAlone(string path) =>
        File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);

    /// <summary>Opens a directory and locks it for this process; null: another one has it. Linux only.</summary>
    public virtual SafeFileHandle? LockFolder(string path) => Posix.LockDirectory(path, out _);

    /// <summary>
    /// What the kernel calls an open file or directory: another name when it was moved, one that ends in "(deleted)" when it was deleted.
    /// Null: it does not tell.
    /// </summary>
    public virtual string? NameOf(SafeFileHandle file) =>
        File.ResolveLinkTarget($"/proc/self/fd/{file.DangerousGetHandle()}", returnFinalTarget: false)?.FullName;

    /// <summary>Tells the kernel how a range will be used. Only a hint.</summary>
    public virtual void Advise(SafeFileHandle file, long offset, long length, FileAdvice advice) =>
        Posix.Advise(file, offset, length, advice);

    /// <summary>Maps a file from its beginning, read-only and shared. Not positive: refused.</summary>
    public virtual nint Map(SafeFileHandle file, long bytes) => Posix.MapShared(file, bytes);

    /// <summary>Ends a mapping.</summary>
    public virtual void Unmap(nint start, long bytes) => Posix.Unmap(start, bytes);

    /// <summary>Bytes that the file system of a path has left for us.</summary>
    public virtual long FreeBytes(string path) => new DriveInfo(path).AvailableFreeSpace;

    /// <summary>Reads until the buffer is full or the file ends. Returns the bytes read.</summary>
    public int ReadFully(SafeFileHandle file, Span<byte> buffer, long offset)
    {
        int total = 0;
        while (total < buffer.Length)
        {
            int n = Read(file, buffer[total..], offset + total);
            if (n <= 0)
            {
                break;
            }

            total += n;
        }

        return total;
    }
}
