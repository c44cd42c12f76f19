using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.Proxy.Commands.Publish.Tree;

/// <summary>
/// The system calls that see a tree as it is: names of any bytes, no link followed, every attribute. Linux only; see the manual page of
/// each.
/// </summary>
internal static unsafe partial class TreeSystem
{
    private const int NoEntry = 2;
    private const int NoData = 61;
    private const int NotSupported = 95;
    private const int Range = 34;
    private const int CurrentDirectory = -100; // AT_FDCWD
    private const int NoFollow = 0x100;        // AT_SYMLINK_NOFOLLOW
    private const int EmptyPath = 0x1000;      // AT_EMPTY_PATH
    private const uint BasicStats = 0x7ff;
    private const int MaxLinkBytes = 4096;

    /// <summary>Looks at a path without following a last link. False: nothing is there.</summary>
    /// <param name="path">Ends with a zero byte.</param>
    /// <param name="stat">What is there.</param>
    /// <exception cref="TreeException">It cannot be looked at.</exception>
    public static bool TryStat(ReadOnlySpan<byte> path, out FileStat stat) => TryStat(CurrentDirectory, path, NoFollow, path, out stat);

    /// <summary>Looks at an open file.</summary>
    public static FileStat Stat(SafeFileHandle file, ReadOnlySpan<byte> path)
    {
        bool added = false;
        try
        {
            file.DangerousAddRef(ref added);
            return TryStat((int)file.DangerousGetHandle(), "\0"u8, EmptyPath, path, out FileStat stat)
                ? stat
                : throw Failure("statx", path, NoEntry);
        }
        finally
        {
            if (added)
            {
                file.DangerousRelease();
            }
        }
    }

    /// <summary>The names in a directory and what each is, in no order. A name that is gone by then is left out.</summary>
    /// <param name="path">Ends with a zero byte.</param>
    /// <exception cref="TreeException">It cannot be read.</exception>
    public static List<(byte[] Name, FileStat Stat)> List(ReadOnlySpan<byte> path)
    {
        nint directory;
        fixed (byte* text = path)
        {
            directory = OpenDirectory(text);
        }

        if (directory == 0)
        {
            throw Failure("opendir", path, Marshal.GetLastPInvokeError());
        }

        try
        {
            List<(byte[], FileStat)> entries = [];
            int descriptor = DirectoryDescriptor(directory);
            while (true)
            {
                Marshal.SetLastSystemError(0);
                byte* entry = (byte*)ReadDirectory(directory);
                if (entry is null)
                {
                    int error = Marshal.GetLastSystemError();
                    return error == 0 ? entries : throw Failure("readdir", path, error);
                }

                const int NameOffset = 19; // of d_name in struct dirent, 64 bit
                ReadOnlySpan<byte> name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry + NameOffset);
                if (name.SequenceEqual("."u8) || name.SequenceEqual(".."u8))
                {
                    continue;
                }

                if (TryStat(descriptor, new ReadOnlySpan<byte>(entry + NameOffset, name.Length + 1), NoFollow, path, out FileStat stat))
                {
                    entries.Add((name.ToArray(), stat));
                }
            }
        }
        finally
        {
            _ = CloseDirectory(directory);
        }
    }

    /// <summary>The target of a symbolic link. Null: it is gone.</summary>
    public static byte[]? ReadLink(ReadOnlySpan<byte> path)
    {
        Span<byte> target = stackalloc byte[MaxLinkBytes];
        fixed (byte* text = path, buffer = target)
        {
            nint length = ReadLink(text, buffer, (nuint)target.Length);
            int error = Marshal.GetLastPInvokeError();
            return length >= 0 ? target[..(int)length].ToArray() : error == NoEntry ? null : throw Failure("readlink", path, error);
        }
    }

    /// <summary>The extended attributes of what a path names, a link itself where it is one. Null: it has none.</summary>
    public static List<KeyValuePair<byte[], byte[]>>? ReadXattrs(ReadOnlySpan<byte> path)
    {
        fixed (byte* text = path)
        {
            nint length = ListXattrs(text, null, 0);
            if (length == 0 || (length < 0 && Marshal.GetLastPInvokeError() is NotSupported or NoEntry))
            {
                return null;
            }

            byte[] names = new byte[Math.Max(length, 0) + 4096];
            fixed (byte* list = names)
            {
                length = length < 0 ? length : ListXattrs(text, list, (nuint)names.Length);
            }

            if (length < 0)
            {
                throw Failure("llistxattr", path, Marshal.GetLastPInvokeError());
            }

            List<KeyValuePair<byte[], byte[]>> found = [];
            for (ReadOnlySpan<byte> rest = names.AsSpan(0, (int)length); !rest.IsEmpty;)
            {
                int end = rest.IndexOf((byte)0);
                if (ReadXattr(text, rest[..(end + 1)], path) is { } value)
                {
                    found.Add(new(rest[..end].ToArray(), value));
                }

                rest = rest[(end + 1)..];
            }

            return found;
        }
    }

    /// <summary>Opens a regular file for reading. Null: it is gone.</summary>
    public static SafeFileHandle? Open(ReadOnlySpan<byte> path)
    {
        const int ReadOnly = 0x80000 | 0x800; // O_CLOEXEC | O_NONBLOCK: what became a FIFO meanwhile does not block
        int noFollow = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;
        fixed (byte* text = path)
        {
            int descriptor = Open(text, ReadOnly | noFollow, 0);
            int error = Marshal.GetLastPInvokeError();
            return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true)
                : error == NoEntry ? null
                : throw Failure("open", path, error);
        }
    }

    private static bool TryStat(int directory, ReadOnlySpan<byte> path, int flags, ReadOnlySpan<byte> named, out FileStat stat)
    {
        stat = default;
        byte* found = stackalloc byte[256]; // struct statx, the same on every processor
        fixed (byte* text = path)
        {
            if (Statx(directory, text, flags, BasicStats, found) != 0)
            {
                int error = Marshal.GetLastPInvokeError();
                return error == NoEntry ? false : throw Failure("statx", named, error);
            }
        }

        stat = new FileStat
        {
            Links = *(uint*)(found + 16),
            Uid = *(uint*)(found + 20),
            Gid = *(uint*)(found + 24),
            Mode = *(ushort*)(found + 28),
            Inode = *(ulong*)(found + 32),
            SizeBytes = *(long*)(found + 40),
            ChangedAt = new FileTime(*(long*)(found + 96), *(uint*)(found + 104)),
            ModifiedAt = new FileTime(*(long*)(found + 112), *(uint*)(found + 120)),
            DeviceNumber = Number(*(uint*)(found + 128), *(uint*)(found + 132)),
            FileSystem = Number(*(uint*)(found + 136), *(uint*)(found + 140)),
        };
        return true;
    }

    /// <summary>A device's number as the C library makes it.</summary>
    private static ulong Number(ulong major, ulong minor) =>
        ((major & 0xfff) << 8) | (minor & 0xff) | ((minor & ~0xffUL) << 12) | ((major & ~0xfffUL) << 32);

    private static byte[]? ReadXattr(byte* path, ReadOnlySpan<byte> name, ReadOnlySpan<byte> named)
    {
        fixed (byte* key = name)
        {
            for (int size = 1024; ; size = 65536) // the most that Linux allows
            {
                byte[] value = new byte[size];
                nint length;
                fixed (byte* buffer = value)
                {
                    length = GetXattr(path, key, buffer, (nuint)size);
                }

                int error = Marshal.GetLastPInvokeError();
                if (length >= 0)
                {
                    return value[..(int)length];
                }

                if (error is NoData or NoEntry or NotSupported)
                {
                    return null;
                }

                if (error != Range || size == 65536)
                {
                    throw Failure("lgetxattr", named, error);
                }
            }
        }
    }

    private static TreeException Failure(string call, ReadOnlySpan<byte> path, int error) =>
        new($"{PathText.Of(path)}: {Marshal.GetPInvokeErrorMessage(error)} ({call}, errno {error}).");

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static partial int Statx(int directory, byte* path, int flags, uint mask, byte* found);

    [LibraryImport("libc", EntryPoint = "opendir", SetLastError = true)]
    private static partial nint OpenDirectory(byte* path);

    [LibraryImport("libc", EntryPoint = "readdir")]
    private static partial nint ReadDirectory(nint directory);

    [LibraryImport("libc", EntryPoint = "dirfd")]
    private static partial int DirectoryDescriptor(nint directory);

    [LibraryImport("libc", EntryPoint = "closedir")]
    private static partial int CloseDirectory(nint directory);

    [LibraryImport("libc", EntryPoint = "readlink", SetLastError = true)]
    private static partial nint ReadLink(byte* path, byte* target, nuint size);

    [LibraryImport("libc", EntryPoint = "llistxattr", SetLastError = true)]
    private static partial nint ListXattrs(byte* path, byte* list, nuint size);

    [LibraryImport("libc", EntryPoint = "lgetxattr", SetLastError = true)]
    private static partial nint GetXattr(byte* path, byte* name, byte* value, nuint size);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    private static partial int Open(byte* path, int flags, int mode);
}
