namespace Breakwater.CacheStore.Disk;

/// <summary>
/// Small files that are there as a whole or not at all, whatever happens meanwhile: a full disk, a kill, a power failure.
/// </summary>
public static class WholeFile
{
    /// <summary>The mode of what its owner alone may read.</summary>
    public const UnixFileMode Secret = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>The mode of what all may read.</summary>
    public const UnixFileMode Readable = Secret | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>
    /// Writes a file, or replaces it: its bytes are on the device under another name before it gets its own. A failure leaves what was
    /// there, and nothing beside it.
    /// </summary>
    /// <param name="path">The file; beside it <c>path.new</c> exists for the moment.</param>
    /// <param name="bytes">All of it.</param>
    /// <param name="mode">Who may read it; not looked at on Windows.</param>
    /// <exception cref="IOException">The disk does not take it.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission is missing.</exception>
    public static void Write(string path, ReadOnlySpan<byte> bytes, UnixFileMode mode)
    {
        string temporary = path + ".new";
        try
        {
            File.Delete(temporary); // of a process that was killed here; it might have another mode
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = mode;
            }

            using (FileStream file = new(temporary, options))
            {
                file.Write(bytes);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            TryDelete(temporary);
            throw;
        }

        if (OperatingSystem.IsLinux())
        {
            Posix.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What made the write fail is what is told.
        }
    }
}
