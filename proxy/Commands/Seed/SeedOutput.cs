using Breakwater.Proxy.Seeding.Export;
using Breakwater.Proxy.Seeding.Format;

namespace Breakwater.Proxy.Commands.Seed;

/// <summary>
/// Where a bundle goes. A file appears whole or not at all: it is written beside its place and renamed. Standard output, a pipe, a device
/// or a symbolic link is written to as it is, and never replaced.
/// </summary>
internal sealed class SeedOutput
{
    private readonly string _path;
    private readonly bool _isInPlace;

    private SeedOutput(string path, string beside, bool isInPlace, bool isStandardOutput)
    {
        _path = path;
        Beside = beside;
        _isInPlace = isInPlace;
        IsStandardOutput = isStandardOutput;
    }

    /// <summary>Is it this process's standard output? Then nothing else may be written there.</summary>
    public bool IsStandardOutput { get; }

    /// <summary>What people are told.</summary>
    public string Name => IsStandardOutput ? "standard output" : _path;

    /// <summary>The path beside which files of the export's own may be.</summary>
    public string Beside { get; }

    /// <summary>Looks at what the user named.</summary>
    /// <param name="named">A path, or <c>-</c>; null: the default.</param>
    /// <param name="standard">Name of the default in the working directory.</param>
    /// <exception cref="SeedExportException">A bundle cannot be there.</exception>
    public static SeedOutput Of(string? named, string standard)
    {
        string byDefault = Path.GetFullPath(standard);
        if (named == "-")
        {
            return new SeedOutput("-", byDefault, isInPlace: true, isStandardOutput: true);
        }

        string path = named is null ? byDefault : Path.GetFullPath(named);
        if (!Directory.Exists(Path.GetDirectoryName(path)))
        {
            throw new SeedExportException(
                $"There is no directory {Path.GetDirectoryName(path)} for the bundle: make it, or name another file with --output.");
        }

        if (Directory.Exists(path))
        {
            throw new SeedExportException($"{path} is a directory: name a file in it with --output.");
        }

        bool isInPlace = new FileInfo(path).LinkTarget is not null || FileKind.IsSpecial(path);
        return new SeedOutput(path, isInPlace ? byDefault : path, isInPlace, isStandardOutput: IsStandardOut(path));
    }

    /// <summary>Writes the bundle; gives its length.</summary>
    /// <exception cref="IOException">It cannot be written; the message names it. Or what <paramref name="write"/> throws.</exception>
    public async Task<long> WriteAsync(Func<Stream, Task> write, long? partBytes = null)
    {
        if (partBytes is { } most)
        {
            return await WritePartsAsync(most, write);
        }

        if (!_isInPlace)
        {
            return await WriteBesideAsync(_path + ".partial", write);
        }

        await using Stream stream = Named(() => _path == "-" ? Console.OpenStandardOutput() : Open());
        return await WriteAsync(stream, write);
    }

    /// <summary>In parts of at most so many bytes; they appear when all are written.</summary>
    private async Task<long> WritePartsAsync(long partBytes, Func<Stream, Task> write)
    {
        if (_isInPlace)
        {
            throw new SeedExportException("--split makes files beside each other: name a file with --output, no pipe, link or device.");
        }

        await using var parts = new SplitFiles(_path, partBytes);
        try
        {
            long length = await WriteAsync(parts, write);
            Named(() =>
            {
                parts.Complete();
                return true;
            });
            return length;
        }
        catch
        {
            parts.Abandon();
            throw;
        }
    }

    /// <summary>What goes wrong with the bundle itself is told by its name: the store is read meanwhile, and may fail too.</summary>
    private async Task<long> WriteAsync(Stream stream, Func<Stream, Task> write)
    {
        var counting = new CountingStream(stream, NotWritten);
        var buffered = new BufferedStream(counting, 1 << 20); // not disposed: after a failure it would write once more
        await write(buffered);
        await buffered.FlushAsync();
        return counting.Written;
    }

    private static void DeleteIfPossible(string path)
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

    private IOException NotWritten(Exception cause) => new($"The bundle could not be written to {Name}: {cause.Message}", cause);

    private T Named<T>(Func<T> act)
    {
        try
        {
            return act();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritten(e);
        }
    }

    private async Task<long> WriteBesideAsync(string partial, Func<Stream, Task> write)
    {
        long length;
        await using (FileStream file =
            Named(() => new FileStream(partial, FileMode.Create, FileAccess.Write, FileShare.None, 0, FileOptions.Asynchronous)))
        {
            try
            {
                length = await WriteAsync(file, write);
                Named(() =>
                {
                    file.Flush(flushToDisk: true);
                    File.Move(partial, _path, overwrite: true);
                    return true;
                });
            }
            catch
            {
                DeleteIfPossible(partial); // on a full disk others may need its room
                throw;
            }
        }

        return length;
    }

    /// <summary>A link to a file that is not there yet makes it; a file behind a link is begun anew.</summary>
    private FileStream Open() => new(
        _path, FileKind.IsSpecial(_path) ? FileMode.Open : FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete,
        bufferSize: 0);

    private static bool IsStandardOut(string path) => FileKind.IsSame(path, "/proc/self/fd/1");
}
