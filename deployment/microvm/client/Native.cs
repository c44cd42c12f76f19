using System.Runtime.InteropServices;

namespace Breakwater.Mount;

/// <summary>The calls of the C library that .NET has no words for.</summary>
internal static unsafe partial class Native
{
    public const int ReadWriteCloseOnExec = 2 | 0x80000;
    public const ulong ReadOnlyMount = 1;
    public const ulong NoDevices = 4;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int descriptor, byte* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int descriptor, byte* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Mount(string source, string target, string type, ulong flags, string data);
}
