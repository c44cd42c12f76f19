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
    private readonly StoreDisk _disk;
    private readonly string _path;
    private readonly string? _openedAs;
    private readonly SafeFileHandle? _directory;
    private readonly SafeFileHandle _file;

    private StoreLock(StoreDisk disk, string path, SafeFileHandle? directory, SafeFileHandle file)
    {
        _disk = disk;
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
            if (!_disk.HasFolder(_path) || NameOf(_directory) != _openedAs)
            {
                return $"The store's directory {_path} was deleted or moved away.";
            }

            string commit = CommitRecord.PathIn(Path.Combine(_path, StoreParts.ObjectsName));
            return _disk.HasFile(commit) ? null : $"Files of the store were deleted: {commit} is not there.";
        }
    }

    /// <exception cref="StoreInUseException">Another process has it.</exception>
    /// <exception cref="IOException">The directory cannot be used.</exception>
    /// <exception cref="ForeignStoreException">It is another user's.</exception>
    public static StoreLock Take(string directory, StoreDisk disk)
    {
        StoreOwner.Check(directory, disk, Environment.IsPrivilegedProcess);
        string path = Path.Combine(directory, "lock");
        SafeFileHandle? locked = null;
        if (OperatingSystem.IsLinux())
        {
            locked = disk.LockFolder(directory) ?? throw new StoreInUseException(directory, ReadHolder(path + ".pid", disk));
        }

        SafeFileHandle file;
        try
        {
            file = disk.OpenAlone(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            locked?.Dispose();
            throw failure is IOException && disk.HasFile(path)
                ? new StoreInUseException(directory, ReadHolder(path + ".pid", disk))
                : failure;
        }

        try
        {
            disk.WriteWhole(path + ".pid", Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // a full disk: whoever wants the store is not told who has it
        }

        return new StoreLock(disk, directory, locked, file);
    }

    public void Dispose()
    {
        _file.Dispose();
        _directory?.Dispose();
    }

    private string? NameOf(SafeFileHandle? directory)
    {
        try
        {
            return directory is null ? null : _disk.NameOf(directory);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static int? ReadHolder(string path, StoreDisk disk)
    {
        try
        {
            return int.TryParse(disk.ReadAll(path), NumberStyles.None, CultureInfo.InvariantCulture, out int processId)
                ? processId
                : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
