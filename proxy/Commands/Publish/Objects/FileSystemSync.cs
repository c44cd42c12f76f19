using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.Proxy.Commands.Publish.Objects;

/// <summary>Makes many new files durable at once.</summary>
internal static partial class FileSystemSync
{
    private const int ReadOnly = 0x80000; // O_CLOEXEC

    /// <summary>Waits until everything written to the file system of a directory is on the device (syncfs).</summary>
    /// <exception cref="IOException">The device does not take it.</exception>
    public static void Run(string directory)
    {
        using SafeFileHandle handle = Open(directory, ReadOnly, 0);
        if (handle.IsInvalid || SyncFs(handle) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            throw new IOException($"{directory}: {Marshal.GetPInvokeErrorMessage(error)} (syncfs, errno {error}).");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    private static partial int SyncFs(SafeFileHandle file);
}
