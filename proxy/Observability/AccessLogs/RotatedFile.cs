namespace Breakwater.Proxy.Observability.AccessLogs;

/// <summary>
/// A log file that rotates by length: <c>x</c>, <c>x.1</c> (the newest of the old), <c>x.2</c>, …. A file that somebody else moved away (logrotate) is made
/// anew. One caller at a time.
/// </summary>
internal sealed class RotatedFile(string path, long maxBytes, int keep) : IDisposable
{
    private FileStream? _file;

    /// <summary>Appends whole lines.</summary>
    /// <exception cref="IOException">The disk does not take them.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission is missing.</exception>
    public void Append(ReadOnlySpan<byte> lines)
    {
        if (_file is not null && !File.Exists(path))
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

        _file.Write(lines);
        _file.Flush();
    }

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

        var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            // Who asked for what is nobody's business but the operators': the group may read.
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        }

        return new FileStream(path, options);
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
}
