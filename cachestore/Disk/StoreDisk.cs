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
