using System.Formats.Tar;

namespace Breakwater.Proxy.Seeding.Format;

/// <summary>
/// Writes a bundle as a POSIX tar: the same input gives the same bytes (fixed owner, mode and time, no extended headers). Not thread-safe.
/// Dispose to write the end; the stream stays the caller's.
/// </summary>
internal sealed class SeedWriter(Stream stream) : IAsyncDisposable
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private readonly TarWriter _tar = new(stream, TarEntryFormat.Ustar, leaveOpen: true);

    /// <summary>Writes the index and its sums.</summary>
    public async Task WriteIndexAsync(byte[] index, CancellationToken cancellationToken)
    {
        await WriteAsync(SeedPath.Index, new MemoryStream(index), cancellationToken);
        await WriteAsync(SeedPath.Checksums, new MemoryStream(IndexChecksums.Of(index)), cancellationToken);
    }

    /// <summary>Writes a file; the content is seekable and read from its beginning.</summary>
    public Task WriteAsync(string name, Stream content, CancellationToken cancellationToken) =>
        _tar.WriteEntryAsync(
        new UstarTarEntry(TarEntryType.RegularFile, name)
        {
            Mode = Mode,
            ModificationTime = DateTimeOffset.UnixEpoch,
            DataStream = content
        }, cancellationToken);

    /// <summary>Writes another name of an entry written before.</summary>
    public Task WriteLinkAsync(string name, string target, CancellationToken cancellationToken) =>
        _tar.WriteEntryAsync(
        new UstarTarEntry(TarEntryType.HardLink, name) { Mode = Mode, ModificationTime = DateTimeOffset.UnixEpoch, LinkName = target },
        cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _tar.DisposeAsync();
}
