using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Breakwater.Proxy.Seeding.Format;

/// <summary>
/// Reads a bundle front to back, once, and refuses whatever is not exactly as <see cref="SeedWriter"/> writes it: names by an allow-list,
/// objects strictly in order (so none is twice there), sizes within what the index declares, zeros where zeros belong, nothing behind the
/// end. Memory does not grow with the bundle.
/// </summary>
internal sealed class SeedReader(Stream stream, SeedLimits limits)
{
    /// <summary>
    /// Manifests, whitelists, keys and lists together, all of which are kept until they are judged; 64 MiB is a list of 1.5 million
    /// inherited objects.
    /// </summary>
    private const long MaxDocumentBytes = 64 << 20;

    /// <summary>A master key in PEM has 500 bytes; a file may hold several.</summary>
    private const long MaxKeyBytes = 64 << 10;

    private const int ChunkBytes = 256 << 10;

    private readonly SeedInput _input = new(stream);
    private readonly byte[] _block = new byte[TarHeader.BlockBytes];
    private readonly byte[] _chunk = new byte[ChunkBytes];
    private SeedIndex? _index;

    /// <summary>Bytes read so far.</summary>
    public long Offset => _input.Offset;

    /// <summary>SHA-256 of the index: the bundle's identity.</summary>
    public string IndexSha256 { get; private set; } = "";

    /// <summary>The index's bytes, once it was read.</summary>
    public ReadOnlyMemory<byte> IndexBytes { get; private set; }

    /// <summary>Reads the index. To be called first, once.</summary>
    /// <exception cref="SeedRefusedException">Not a bundle, or damaged.</exception>
    public async Task<SeedIndex> ReadIndexAsync(CancellationToken cancellationToken)
    {
        (byte[] index, long indexOffset) = await ReadSmallAsync(SeedPath.Index, SeedIndex.MaxBytes, cancellationToken);
        (byte[] sums, long sumsOffset) =
            await ReadSmallAsync(SeedPath.Checksums, IndexChecksums.MaxBytes(index.Length), cancellationToken);
        _index = SeedIndex.Read(index, indexOffset, sums, sumsOffset);
        IndexBytes = index;
        IndexSha256 = Convert.ToHexStringLower(SHA256.HashData(index));
        return _index;
    }

    /// <summary>Reads all that follows the index, to the end.</summary>
    /// <exception cref="SeedRefusedException">It is not what it must be.</exception>
    public async Task ReadContentAsync(ISeedVisitor visitor, CancellationToken cancellationToken)
    {
        SeedIndex index = _index ?? throw new InvalidOperationException("The index comes first.");
        long left = MaxDocumentBytes;
        foreach (SeedDocument document in index.Documents)
        {
            long most = Math.Min(left, MostBytesOf(document.Name));
            if (document.SizeBytes < 0 || document.SizeBytes > most)
            {
                throw new SeedRefusedException($"{SeedPath.Index}, field documents", 0,
                    $"states {document.SizeBytes} bytes for {document.Name}; {most} are the most, of {MaxDocumentBytes} for all documents");
            }

            left -= document.SizeBytes;
            (byte[] bytes, long offset) = await ReadSmallAsync(document.Name, document.SizeBytes, cancellationToken);
            if (bytes.LongLength != document.SizeBytes || Convert.ToHexStringLower(SHA256.HashData(bytes)) != document.Sha256)
            {
                throw new SeedRefusedException(document.Name, offset, "does not have the SHA-256 that the index states");
            }

            await visitor.OnDocumentAsync(document.Name, bytes, offset, cancellationToken);
        }

        await ReadObjectsAsync(index, visitor, cancellationToken);
        await ReadEndAsync(cancellationToken);
    }

    /// <summary>The longest document of a name that will be read as what it claims to be.</summary>
    public static long MostBytesOf(string name) =>
        name == SeedPath.Inherited ? MaxDocumentBytes
        : name.EndsWith('/' + SeedPath.Manifest, StringComparison.Ordinal) ? Repositories.Manifest.MaxBytes
        : name.EndsWith('/' + SeedPath.Whitelist, StringComparison.Ordinal) ? Repositories.Whitelist.MaxBytes
        : MaxKeyBytes;

    private async Task ReadObjectsAsync(SeedIndex index, ISeedVisitor visitor, CancellationToken cancellationToken)
    {
        using var contents = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        (string Name, SeedPath Path)? previous = null;
        string file = "";
        long objects = 0, bytes = 0, links = 0;
        while (true)
        {
            long offset = Offset;
            if (await ReadHeaderAsync(cancellationToken) is not { } header)
            {
                break;
            }

            SeedPath path = Classify(header, offset, index);
            CheckOrder(header, path, previous, file, offset);
            if (header.LinkTarget is not null)
            {
                links++;
                visitor.OnLink(path);
            }
            else
            {
                bool isNew = previous?.Path.Key != path.Key || objects == 0;
                objects += isNew ? 1 : 0;
                bytes += isNew ? header.SizeBytes : 0;
                if (objects > index.Objects || bytes > index.ObjectBytes)
                {
                    throw new SeedRefusedException(header.Name, offset,
                        $"is more than the {index.Objects} objects of {index.ObjectBytes} bytes that the index states");
                }

                file = header.Name;
                await ReadObjectAsync(visitor, path, header, cancellationToken);
            }

            contents.AppendData(ContentsLine(header.Name, header.LinkTarget is null ? header.SizeBytes : -1));
            previous = (header.Name, path);
        }

        if (objects != index.Objects || bytes != index.ObjectBytes || links != index.Links)
        {
            throw new SeedRefusedException(
                $"{SeedPath.Index}, field objects", Offset,
                $"states {index.Objects} objects of {index.ObjectBytes} bytes and {index.Links} links, but {objects} of {bytes} and "
                + $"{links} are there");
        }

        if (Convert.ToHexStringLower(contents.GetCurrentHash()) != index.Contents)
        {
            throw new SeedRefusedException($"{SeedPath.Index}, field contents", Offset, "does not fit the objects that are there");
        }
    }

    /// <summary>The line of an object in the digest <see cref="SeedIndex.Contents"/>.</summary>
    public static byte[] ContentsLine(string name, long size) =>
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{size} {name}\n"));

    private SeedPath Classify(TarHeader header, long offset, SeedIndex index)
    {
        if (!SeedPath.TryParse(header.Name, out SeedPath? path))
        {
            throw new SeedRefusedException(Printable(header.Name), offset,
                "is not a name that a bundle has; nothing is ever written to such a path");
        }

        if (path.Value.Kind != SeedEntryKind.Object)
        {
            throw new SeedRefusedException(header.Name, offset, "is out of its place, or twice there");
        }

        if (!index.Repositories.Any(repository => repository.Fqrn == path.Value.Fqrn))
        {
            throw new SeedRefusedException(header.Name, offset, "belongs to a repository that the index does not have");
        }

        if (header.SizeBytes > limits.MaxObjectBytes)
        {
            throw new SeedRefusedException(header.Name, offset,
                $"states {header.SizeBytes} bytes; objects have {limits.MaxObjectBytes} at most (Store:MaxObjectBytes)");
        }

        return path.Value;
    }

    /// <summary>
    /// Objects ascend strictly. An object's other names follow it at once: links to it, or, where a name is too long for a link, the bytes
    /// again.
    /// </summary>
    private static void CheckOrder(TarHeader header, SeedPath path, (string Name, SeedPath Path)? previous, string file, long offset)
    {
        bool isSameObject = previous is { } before && before.Path.Key == path.Key;
        if (header.LinkTarget is { } target && (!isSameObject || target != file))
        {
            throw new SeedRefusedException(header.Name, offset,
                $"links to '{Printable(target)}', which is not the entry of the same object just before it");
        }

        if (previous is not { } last)
        {
            return;
        }

        if (isSameObject ? string.CompareOrdinal(last.Path.Fqrn, path.Fqrn) >= 0 : SeedPath.Compare(last.Path.Key, path.Key) > 0)
        {
            throw new SeedRefusedException(header.Name, offset, last.Name == header.Name
                ? "is twice there"
                : $"is out of order behind {last.Name}");
        }

        if (isSameObject && header.LinkTarget is null && SeedPath.FitsAsLinkTarget(file))
        {
            throw new SeedRefusedException(header.Name, offset, $"is there again; it must be a link to {file}");
        }
    }

    private async Task ReadObjectAsync(ISeedVisitor visitor, SeedPath path, TarHeader header, CancellationToken cancellationToken)
    {
        await visitor.OnObjectAsync(path, header.Name, header.SizeBytes, Offset, cancellationToken);
        for (long left = header.SizeBytes; left > 0;)
        {
            int read = await _input.ReadAsync(_chunk.AsMemory(0, (int)Math.Min(left, ChunkBytes)), cancellationToken);
            if (read == 0)
            {
                throw new SeedRefusedException(header.Name, Offset, $"is cut off: {left} bytes are missing");
            }

            left -= read;
            await visitor.OnObjectBytesAsync(_chunk.AsMemory(0, read), cancellationToken);
        }

        await ReadPaddingAsync(header, cancellationToken);
        await visitor.OnObjectEndAsync(cancellationToken);
    }

    private async Task<(byte[] Bytes, long Offset)> ReadSmallAsync(string name, long maxBytes, CancellationToken cancellationToken)
    {
        long at = Offset;
        if (await ReadHeaderAsync(cancellationToken) is not { } header)
        {
            throw new SeedRefusedException(name, at, "is missing");
        }

        if (header.Name != name || header.LinkTarget is not null)
        {
            throw new SeedRefusedException(
                Printable(header.Name), at,
                SeedPath.TryParse(header.Name, out _)
                ? $"is out of order: {name} belongs here"
                : $"is not a name that a bundle has here; {name} belongs here");
        }

        if (header.SizeBytes > maxBytes)
        {
            throw new SeedRefusedException(name, at, $"states {header.SizeBytes} bytes; {maxBytes} are the most");
        }

        long offset = Offset;
        byte[] bytes = new byte[header.SizeBytes];
        if (!await _input.ReadFullyAsync(bytes, cancellationToken))
        {
            throw new SeedRefusedException(name, Offset, "is cut off");
        }

        await ReadPaddingAsync(header, cancellationToken);
        return (bytes, offset);
    }

    /// <summary>Null: the first of the two zero blocks at the end.</summary>
    private async Task<TarHeader?> ReadHeaderAsync(CancellationToken cancellationToken)
    {
        long offset = Offset;
        if (!await _input.ReadFullyAsync(_block, cancellationToken))
        {
            throw new SeedRefusedException("the bundle", Offset, offset == 0 && Offset == 0
                ? "is empty"
                : "is cut off: its end is missing");
        }

        if (!_block.AsSpan().ContainsAnyExcept((byte)0))
        {
            return null;
        }

        TarHeader header = TarHeader.Read(_block, out string? problem);
        return problem is null
            ? header
            : throw new SeedRefusedException(header.Name.Length == 0 ? "an entry" : Printable(header.Name), offset, offset == 0
            ? $"{problem}; is this a seed bundle?"
            : problem);
    }

    private async Task ReadPaddingAsync(TarHeader header, CancellationToken cancellationToken)
    {
        long offset = Offset;
        Memory<byte> padding = _block.AsMemory(0, TarHeader.PaddingAfter(header.SizeBytes));
        if (!await _input.ReadFullyAsync(padding, cancellationToken))
        {
            throw new SeedRefusedException(header.Name, Offset, "is cut off");
        }

        int bad = padding.Span.IndexOfAnyExcept((byte)0);
        if (bad >= 0)
        {
            throw new SeedRefusedException(header.Name, offset + bad, "is followed by bytes that should be zero");
        }
    }

    private async Task ReadEndAsync(CancellationToken cancellationToken)
    {
        long offset = Offset;
        if (!await _input.ReadFullyAsync(_block, cancellationToken))
        {
            throw new SeedRefusedException("the bundle", Offset, "is cut off: its end is missing");
        }

        int bad = _block.AsSpan().IndexOfAnyExcept((byte)0);
        if (bad >= 0)
        {
            throw new SeedRefusedException("the end of the bundle", offset + bad, "should be zero");
        }

        if (await _input.ReadAsync(_block, cancellationToken) > 0)
        {
            throw new SeedRefusedException("the bundle", offset + TarHeader.BlockBytes, "goes on behind its end");
        }
    }

    private static string Printable(string name) => "'" + new string([.. name.Select(c => c is >= ' ' and < (char)127 ? c : '?')]) + "'";
}
