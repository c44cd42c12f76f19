using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Disk;
using Breakwater.Proxy.Commands.Publish.Tree;
using Breakwater.Repositories;
using Breakwater.Repositories.Writing;

namespace Breakwater.Proxy.Commands.Publish.Catalogs;

/// <summary>
/// What the last publication knew: where the bytes of each file are, by its stat, and which catalogs there are. A memory only: without it,
/// or with
/// one of an earlier revision, everything is read again or found by its fingerprint. Objects that it names exist: garbage collection writes
/// it first.
/// </summary>
internal sealed class PublishState
{
    /// <summary>Name of its file.</summary>
    public const string FileName = "files";

    private const ulong Magic = 0x3153_5057_4221_0001;
    private const int DigestBytes = ObjectKey.DigestSizeBytes;
    private const int FixedBytes = 16 + 8 + 12 + 12 + 8 + 8 + 4;

    /// <summary>
    /// Clocks of file systems go by ticks of up to 10 ms: what was changed so shortly before it was read may be changed again unseen.
    /// </summary>
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(50);

    private readonly byte[] _bytes;
    private readonly Dictionary<PathKey, int> _files = [];
    private readonly Dictionary<PathKey, CatalogRecord> _catalogs = [];

    private PublishState(byte[] bytes) => _bytes = bytes;

    /// <summary>Knows nothing.</summary>
    public static PublishState None { get; } = new([]);

    /// <summary>Reads a file; one that is missing, damaged or of another release knows nothing.</summary>
    public static PublishState Load(string path)
    {
        if (!File.Exists(path))
        {
            return None;
        }

        byte[] bytes = File.ReadAllBytes(path);
        if (bytes.Length < 24 || BinaryPrimitives.ReadUInt64LittleEndian(bytes) != Magic
            || BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(8)) != XxHash3.HashToUInt64(bytes.AsSpan(16)))
        {
            return None;
        }

        var state = new PublishState(bytes);
        state.Index();
        return state;
    }

    /// <summary>Writes what a publication knows.</summary>
    /// <param name="path">The file.</param>
    /// <param name="root">The tree.</param>
    /// <param name="catalogs">Its catalogs.</param>
    /// <param name="startedAt">When the tree began to be read.</param>
    public static void Save(string path, TreeNode root, IReadOnlyDictionary<PathKey, CatalogRecord> catalogs, DateTimeOffset startedAt)
    {
        using var bytes = new MemoryStream();
        bytes.SetLength(16);
        bytes.Position = 16;
        WriteCatalogs(bytes, catalogs);
        var open = new Stack<TreeNode>([root]);
        while (open.TryPop(out TreeNode? directory))
        {
            foreach (TreeNode child in directory.Children!)
            {
                if (child.Children is not null)
                {
                    open.Push(child);
                }
                else if (child.Content is { } content && child.Source is null && IsSettled(child.Stat, startedAt))
                {
                    WriteFile(bytes, child, content);
                }
            }
        }

        Finish(path, bytes);
    }

    /// <summary>Writes what is left once objects were collected.</summary>
    public void SaveOnly(string path, Func<ObjectKey, bool> isLive)
    {
        using var bytes = new MemoryStream();
        bytes.SetLength(16);
        bytes.Position = 16;
        WriteCatalogs(bytes, _catalogs.Where(pair => isLive(pair.Value.Catalog)).ToDictionary());
        foreach (int offset in _files.Values)
        {
            FileContent content = ReadContent(offset, out int length);
            if (content.Chunks.Length > 0
                ? content.Chunks.All(chunk => isLive(new ObjectKey(chunk.Digest, DigestAlgorithm.Sha1, ObjectKind.Chunk)))
                : isLive(new ObjectKey(content.Digest, DigestAlgorithm.Sha1, 0)))
            {
                bytes.Write(_bytes.AsSpan(offset, length));
            }
        }

        Finish(path, bytes);
    }

    /// <summary>Where a file's bytes are, if it is the file that was read then: by size, times and inode. Null: read it.</summary>
    public FileContent? Find(TreeNode file)
    {
        if (!_files.TryGetValue(file.Key, out int offset))
        {
            return null;
        }

        Span<byte> expected = stackalloc byte[FixedBytes];
        WriteStat(expected, file);
        return _bytes.AsSpan(offset, FixedBytes - 4).SequenceEqual(expected[..^4]) ? ReadContent(offset, out _) : null;
    }

    /// <summary>The catalog that began at a directory; null: none did.</summary>
    public CatalogRecord? Catalog(PathKey directory) => _catalogs.GetValueOrDefault(directory);

    private static bool IsSettled(in FileStat stat, DateTimeOffset startedAt)
    {
        // Whole seconds only: a file system with a coarse clock.
        TimeSpan tick = stat.ChangedAt.Nanoseconds == 0 ? TimeSpan.FromSeconds(2) : s_tick;
        DateTimeOffset limit = startedAt - tick;
        (long seconds, uint nanoseconds) = (limit.ToUnixTimeSeconds(), (uint)(limit.Ticks % TimeSpan.TicksPerSecond) * 100);
        return (stat.ChangedAt.Seconds, stat.ChangedAt.Nanoseconds).CompareTo((seconds, nanoseconds)) < 0;
    }

    private static void WriteFile(MemoryStream bytes, TreeNode file, FileContent content)
    {
        Span<byte> head = stackalloc byte[FixedBytes];
        WriteStat(head, file);
        BinaryPrimitives.WriteInt32LittleEndian(head[^4..], content.Chunks.Length);
        bytes.Write(head);
        bytes.Write(content.Digest);
        Span<byte> size = stackalloc byte[8];
        foreach (FileChunk chunk in content.Chunks)
        {
            BinaryPrimitives.WriteInt64LittleEndian(size, chunk.SizeBytes);
            bytes.Write(size);
            bytes.Write(chunk.Digest);
        }
    }

    private static void WriteStat(Span<byte> head, TreeNode file)
    {
        BinaryPrimitives.WriteInt64LittleEndian(head, file.Key.First);
        BinaryPrimitives.WriteInt64LittleEndian(head[8..], file.Key.Second);
        BinaryPrimitives.WriteInt64LittleEndian(head[16..], file.Stat.SizeBytes);
        BinaryPrimitives.WriteInt64LittleEndian(head[24..], file.Stat.ModifiedAt.Seconds);
        BinaryPrimitives.WriteUInt32LittleEndian(head[32..], file.Stat.ModifiedAt.Nanoseconds);
        BinaryPrimitives.WriteInt64LittleEndian(head[36..], file.Stat.ChangedAt.Seconds);
        BinaryPrimitives.WriteUInt32LittleEndian(head[44..], file.Stat.ChangedAt.Nanoseconds);
        BinaryPrimitives.WriteUInt64LittleEndian(head[48..], file.Stat.Inode);
        BinaryPrimitives.WriteUInt64LittleEndian(head[56..], file.Stat.FileSystem);
    }

    private static void WriteCatalogs(MemoryStream bytes, IReadOnlyDictionary<PathKey, CatalogRecord> catalogs)
    {
        using var writer = new BinaryWriter(bytes, System.Text.Encoding.UTF8, leaveOpen: true);
        Span<byte> digest = stackalloc byte[DigestBytes];
        writer.Write(catalogs.Count);
        foreach ((PathKey key, CatalogRecord catalog) in catalogs)
        {
            writer.Write(key.First);
            writer.Write(key.Second);
            catalog.Catalog.CopyDigestTo(digest);
            writer.Write(digest);
            writer.Write(catalog.InflatedBytes);
            writer.Write(catalog.Fingerprint);
            writer.Write(catalog.IsAutomatic);
            Write(writer, catalog.Self);
            Write(writer, catalog.Subtree);
        }
    }

    private static void Write(BinaryWriter writer, CatalogCounters counters) =>
        writer.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<CatalogCounters>(in counters)));

    private static CatalogCounters ReadCounters(BinaryReader reader) =>
        MemoryMarshal.Read<CatalogCounters>(reader.ReadBytes(Marshal.SizeOf<CatalogCounters>()));

    private static void Finish(string path, MemoryStream bytes)
    {
        Span<byte> all = bytes.GetBuffer().AsSpan(0, (int)bytes.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(all, Magic);
        BinaryPrimitives.WriteUInt64LittleEndian(all[8..], XxHash3.HashToUInt64(all[16..]));
        WholeFile.Write(path, all, WholeFile.Secret);
    }

    private void Index()
    {
        using var stream = new MemoryStream(_bytes, writable: false) { Position = 16 };
        using var reader = new BinaryReader(stream);
        for (int i = reader.ReadInt32(); i > 0; i--)
        {
            var key = new PathKey(reader.ReadInt64(), reader.ReadInt64());
            var catalog = new ObjectKey(reader.ReadBytes(DigestBytes), DigestAlgorithm.Sha1, ObjectKind.Catalog);
            _catalogs[key] = new CatalogRecord(
                catalog, reader.ReadInt64(), reader.ReadBytes(32), reader.ReadBoolean(), ReadCounters(reader), ReadCounters(reader));
        }

        int at = (int)stream.Position;
        _files.EnsureCapacity((_bytes.Length - at) / (FixedBytes + DigestBytes));
        while (at < _bytes.Length)
        {
            ReadOnlySpan<byte> head = _bytes.AsSpan(at);
            _files[new PathKey(BinaryPrimitives.ReadInt64LittleEndian(head), BinaryPrimitives.ReadInt64LittleEndian(head[8..]))] = at;
            at += LengthAt(at);
        }
    }

    private int LengthAt(int offset)
    {
        int chunks = BinaryPrimitives.ReadInt32LittleEndian(_bytes.AsSpan(offset + FixedBytes - 4));
        return FixedBytes + (chunks == 0 ? DigestBytes : chunks * (8 + DigestBytes));
    }

    private FileContent ReadContent(int offset, out int length)
    {
        length = LengthAt(offset);
        ReadOnlySpan<byte> rest = _bytes.AsSpan(offset + FixedBytes, length - FixedBytes);
        int count = BinaryPrimitives.ReadInt32LittleEndian(_bytes.AsSpan(offset + FixedBytes - 4));
        if (count == 0)
        {
            return new FileContent(rest.ToArray());
        }

        var chunks = new FileChunk[count];
        for (int i = 0; i < count; i++)
        {
            chunks[i] = new FileChunk(BinaryPrimitives.ReadInt64LittleEndian(rest), rest.Slice(8, DigestBytes).ToArray());
            rest = rest[(8 + DigestBytes)..];
        }

        return new FileContent(chunks);
    }
}
