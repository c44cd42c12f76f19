using System.Globalization;

namespace Breakwater.Proxy.Commands;

/// <summary>Reads a list, a trace or a set that an operator names: a file or a pipe, of bounded length.</summary>
internal static class GivenFile
{
    /// <summary>Longest one: a trace of a million opened files.</summary>
    public const int MaxBytes = 64 << 20;

    /// <summary>Reads all of it.</summary>
    /// <exception cref="IOException">It cannot be read, or has no end in sight (a device).</exception>
    /// <exception cref="UnauthorizedAccessException">Permission is missing, or it is a directory.</exception>
    public static async Task<byte[]> ReadAsync(string path, CancellationToken cancellationToken)
    {
        await using FileStream file =
            new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous);
        using var text = new MemoryStream();
        byte[] buffer = new byte[256 << 10];
        int read;
        while ((read = await file.ReadAsync(buffer, cancellationToken)) > 0)
        {
            text.Write(buffer, 0, read);
            if (text.Length > MaxBytes)
            {
                throw new IOException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{path} has more than {MaxBytes >> 20} MiB: that is no list of paths, trace or working set. Hand it in in parts, "
                    + $"under several names."));
            }
        }

        return text.ToArray();
    }
}
