using System.Globalization;
using System.Text;
using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Log;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Store;

/// <summary>
/// One process owns a store: an advisory lock on its directory, and one on the file <c>lock</c>, which older versions know; <c>lock.pid</c>
/// names the holder. The files may be deleted by anybody who cleans up, the directory's lock stays. Released by the kernel when the process
/// ends.
/// </summary>
internal sealed class StoreLock : IDisposable
{
    private readonly string _path;
    private readonly string? _openedAs;
    private readonly SafeFileHandle? _directory;
    private readonly FileStream _file;

    private StoreLock(string path, SafeFileHandle? directory, FileStream file)
    {
        _path = path;
        _directory = directory;
        _openedAs = NameOf(directory);
        _file = file;
    }

    /// <summary>Is the store's directory gone: deleted, emptied, moved away? Null: it is there.</summary>
    public string? Missing
    {
        get
        {
            if (!Directory.Exists(_path) || NameOf(_directory) != _openedAs)
            {
                return $"The store's directory {_path} was deleted or moved away.";
            }

            string commit = CommitRecord.PathIn(Path.Combine(_path, StoreParts.ObjectsName));
            return File.Exists(commit) ? null : $"Files of the store were deleted: {commit} is not there.";
        }
    }

    /// <exception cref="StoreInUseException">Another process has it.</exception>
    /// <exception cref="IOException">The directory cannot be used.</exception>
    public static StoreLock Take(string directory)
    {
        string path = Path.Combine(directory, "lock");
        SafeFileHandle? locked = null;
        if (OperatingSystem.IsLinux())
        {
            locked = Posix.LockDirectory(directory, out _) ?? throw new StoreInUseException(directory, ReadHolder(path + ".pid"));
        }

        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            locked?.Dispose();
            throw failure is IOException && File.Exists(path) ? new StoreInUseException(directory, ReadHolder(path + ".pid")) : failure;
        }

        try
        {
            WholeFile.Write(path + ".pid", Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)),
                WholeFile.Readable);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // a full disk: whoever wants the store is not told who has it
        }

        return new StoreLock(directory, locked, file);
    }

    public void Dispose()
    {
        _file.Dispose();
        _directory?.Dispose();
    }

    /// <summary>
    /// What the kernel calls an open directory: another name when it was moved, one that ends in "(deleted)" when it was deleted.
    /// </summary>
    private static string? NameOf(SafeFileHandle? directory)
    {
        try
        {
            return directory is null
                ? null
                : File.ResolveLinkTarget($"/proc/self/fd/{directory.DangerousGetHandle()}", returnFinalTarget: false)?.FullName;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static int? ReadHolder(string path)
    {
        try
        {
            return int.TryParse(File.ReadAllText(path), NumberStyles.None, CultureInfo.InvariantCulture, out int processId)
                ? processId
                : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
