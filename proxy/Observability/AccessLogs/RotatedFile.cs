using System.Runtime.InteropServices;

namespace Breakwater.Proxy.Observability.AccessLogs;

/// <summary>
/// A log file that rotates by length: <c>x</c>, <c>x.1</c> (the newest of the old), <c>x.2</c>, …. One that somebody else moved away or
/// replaced (logrotate) is opened anew, one that was cut (<c>copytruncate</c>) goes on at its end. One caller at a time.
/// </summary>
internal sealed partial class RotatedFile(string path, long maxBytes, int keep) : IDisposable
{
    // fcntl(2) on Linux: x86-64 and arm64 have the same numbers.
    private const int SetStatusFlags = 4;
    private const int AppendFlag = 0x400;

    private FileStream? _file;
    private string? _openedAs;  // what the kernel calls the open file; null where it does not say

    /// <summary>Appends whole lines.</summary>
    /// <exception cref="IOException">The disk does not take them.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission is missing.</exception>
    public void Append(ReadOnlySpan<byte> lines)
    {
        if (_file is not null && (!File.Exists(path) || NameOf(_file) != _openedAs))
        {
            Close();
        }

        _file ??= Open();
        if (_file.Length > 0 && _file.Length + lines.Length > maxBytes)
        {
            Close();
            Rotate();
            _file = Open();
        }

        long end = _file.Length;
        try
        {
            _file.Position = end;
            _file.Write(lines);
            _file.Flush();
        }
        catch (IOException)
        {
            // A full disk takes a part: half a line would have the next one behind it.
            _file.SetLength(end);
            throw;
        }
    }

    /// <summary>Opens the file, as the first append would.</summary>
    /// <exception cref="IOException">It cannot be had.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission is missing.</exception>
    public void Prepare() => _file ??= Open();

    /// <inheritdoc/>
    public void Dispose() => Close();

    /// <summary>Lets the file go; the next append opens it again.</summary>
    public void Close()
    {
        _file?.Dispose();
        _file = null;
    }

    private FileStream Open()
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } directory)
        {
            Directory.CreateDirectory(directory);
        }

        var options =
            new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.Write,
                Share = FileShare.ReadWrite | FileShare.Delete,
                BufferSize = 0
            };
        if (!OperatingSystem.IsWindows())
        {
            // Who asked for what is nobody's business but the operators': the group may read.
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        }

        FileStream file = new(path, options);
        if (OperatingSystem.IsLinux())
        {
            // Whoever cuts the file, or writes to it beside us (the next process, during a restart), gets whole lines: each goes to the
            // end.
            _ = SetFlags((int)file.SafeFileHandle.DangerousGetHandle(), SetStatusFlags, AppendFlag);
        }

        _openedAs = NameOf(file);
        return file;
    }

    /// <summary>The link below /proc follows the file when it is renamed, and says "(deleted)" of one that has no name any more.</summary>
    private static string? NameOf(FileStream file)
    {
        try
        {
            return OperatingSystem.IsLinux()
                ? File.ResolveLinkTarget($"/proc/self/fd/{file.SafeFileHandle.DangerousGetHandle()}", returnFinalTarget: false)?.FullName
                : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private void Rotate()
    {
        if (keep == 0)
        {
            File.Delete(path);
            return;
        }

        for (int i = keep - 1; i >= 1; i--)
        {
            if (File.Exists($"{path}.{i}"))
            {
                File.Move($"{path}.{i}", $"{path}.{i + 1}", overwrite: true);
            }
        }

        File.Move(path, path + ".1", overwrite: true);
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int SetFlags(int descriptor, int command, int flags);
}
