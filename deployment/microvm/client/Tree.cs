using System.Buffers.Binary;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;
using Breakwater.Repositories;

namespace Breakwater.Mount;

/// <summary>One snapshot of a repository as a tree of nodes. Thread-safe.</summary>
internal sealed class Tree(CatalogPool catalogs, ContentCache contents)
{
    /// <summary>Listings of so many directories are kept: a reader asks for a directory in several pieces.</summary>
    private const int MaxListings = 8;

    private readonly LinkedList<(ulong Id, List<Listed> All)> _listings = []; // guarded by itself

    /// <summary>The nodes that the kernel knows.</summary>
    public NodeTable Nodes { get; } = new();

    /// <summary>Takes the root catalog of the snapshot. False: it cannot be had.</summary>
    public bool Begin(ObjectKey rootCatalog)
    {
        (int error, Listed? root) = Find(rootCatalog, []);
        if (error != 0 || root is null || !root.Entry.IsDirectory)
        {
            return false;
        }

        Nodes.AddRoot(Create(1, [], rootCatalog, root));
        return true;
    }

    /// <summary>The node of a name, with one reference more. An error number where there is none.</summary>
    public (int Error, Node? Node) Lookup(Node directory, ReadOnlySpan<byte> name)
    {
        if (!directory.Entry.IsDirectory || Inside(directory) is not { } catalog)
        {
            return (Errno.InputOutput, null);
        }

        byte[] path = [.. directory.Path, (byte)'/', .. name];
        (int error, Listed? found) = Find(catalog, path);
        return error == 0 && found is not null ? (0, Refer(path, catalog, found)) : (error, null);
    }

    /// <summary>What is in a directory, always in the same order. Null: it cannot be had.</summary>
    public List<Listed>? List(Node directory)
    {
        lock (_listings)
        {
            foreach ((ulong id, List<Listed> known) in _listings)
            {
                if (id == directory.Id)
                {
                    return known;
                }
            }
        }

        List<Listed> all = [];
        if (Inside(directory) is not { } key || !catalogs.Ask(key, catalog => ReadAll(catalog, directory.Path, all)))
        {
            return null;
        }

        lock (_listings)
        {
            _listings.AddFirst((directory.Id, all));
            if (_listings.Count > MaxListings)
            {
                _listings.RemoveLast();
            }
        }

        return all;
    }

    /// <summary>The node of a line of a listing, with one reference more. Null: it cannot be had.</summary>
    public Node? Refer(Node directory, Listed line) =>
        Inside(directory) is { } catalog ? Refer([.. directory.Path, (byte)'/', .. line.Name], catalog, line) : null;

    /// <summary>Reads all of <paramref name="to"/>, which is within the file. An error number else.</summary>
    public int Read(Node node, long offset, Span<byte> to, CancellationToken cancellationToken)
    {
        CatalogEntry entry = node.Entry;
        if (!entry.HasObjects)
        {
            return Errno.InputOutput; // external data: not built
        }

        if (!entry.IsChunked)
        {
            return entry.Object is ObjectKey key
                && contents.Read(new ContentKey(key, entry.IsStoredPlain, entry.SizeBytes), offset, to, cancellationToken)
                ? 0
                : Errno.InputOutput;
        }

        if (Chunks(node) is not { } chunks)
        {
            return Errno.InputOutput;
        }

        int done = 0;
        foreach (CatalogChunk chunk in chunks)
        {
            long at = offset + done;
            if (chunk.Offset + chunk.SizeBytes <= at)
            {
                continue;
            }

            if (done == to.Length)
            {
                break;
            }

            int length = (int)Math.Min(to.Length - done, chunk.Offset + chunk.SizeBytes - at);
            var key = new ContentKey(chunk.Object, entry.IsStoredPlain, chunk.SizeBytes);
            if (!contents.Read(key, at - chunk.Offset, to.Slice(done, length), cancellationToken))
            {
                return Errno.InputOutput;
            }

            done += length;
        }

        return done == to.Length ? 0 : Errno.InputOutput;
    }

    private List<CatalogChunk>? Chunks(Node node)
    {
        if (node.Chunks is { } known)
        {
            return known;
        }

        List<CatalogChunk> chunks = [];
        if (!catalogs.Ask(node.Catalog, catalog => ReadChunks(catalog, node.Entry, chunks)))
        {
            return null;
        }

        return node.Chunks = chunks;
    }

    private static string? ReadChunks(Catalog catalog, CatalogEntry entry, List<CatalogChunk> chunks)
    {
        chunks.Clear();
        return catalog.ReadChunks(entry, chunks);
    }

    /// <summary>The catalog that has what is in a directory.</summary>
    private ObjectKey? Inside(Node directory)
    {
        if ((directory.Entry.Flags & CatalogFlags.NestedMountpoint) == 0)
        {
            return directory.Catalog;
        }

        string path = PathText.Of(directory.Path);
        ObjectKey? nested = null;
        bool isAnswered = catalogs.Ask(directory.Catalog, catalog =>
        {
            nested = catalog.Nested.FirstOrDefault(n => n.Path == path)?.Catalog;
            return nested is null ? $"Catalog: it names none for '{path}'." : null;
        });
        return isAnswered ? nested : null;
    }

    private (int Error, Listed? Found) Find(ObjectKey key, byte[] path)
    {
        CatalogEntry? entry = null;
        Listed? found = null;
        bool isAnswered = catalogs.Ask(key, catalog =>
            catalog.Find(path.AsSpan(), out entry) ?? (entry is null ? null : Complete(catalog, [], entry, out found)));
        return !isAnswered ? (Errno.InputOutput, null) : found is null ? (Errno.NoEntry, null) : (0, found);
    }

    private static string? ReadAll(Catalog catalog, byte[] directory, List<Listed> all)
    {
        all.Clear();
        List<(byte[] Name, CatalogEntry Entry)> rows = [];
        string? problem = catalog.ListNames(directory, (name, entry) =>
        {
            if ((entry.Flags & CatalogFlags.Hidden) == 0)
            {
                rows.Add((name, entry));
            }
        });
        foreach ((byte[] name, CatalogEntry entry) in rows)
        {
            if (problem is not null || (problem = Complete(catalog, name, entry, out Listed? line)) is not null)
            {
                return problem;
            }

            all.Add(line!);
        }

        return problem;
    }

    /// <summary>Adds the attributes, and for a hard link what tells whether two names are the same file.</summary>
    private static string? Complete(Catalog catalog, byte[] name, CatalogEntry entry, out Listed? line)
    {
        line = null;
        string? problem = catalog.ReadAttributes(entry.Key, out CatalogAttributes? attributes);
        List<CatalogChunk>? chunks = null;
        if (problem is null && attributes is { LinkGroup: > 0 } && entry.IsChunked)
        {
            problem = catalog.ReadChunks(entry, chunks = []);
        }

        problem ??= attributes is null ? "Catalog: a row is gone." : null;
        line = problem is null ? new Listed(name, entry, attributes!, chunks) : null;
        return problem;
    }

    private Node Refer(byte[] path, ObjectKey catalog, Listed line) =>
        Nodes.Refer(Identity(path, catalog, line), id => Create(id, path, catalog, line));

    private static Node Create(ulong id, byte[] path, ObjectKey catalog, Listed line) => new()
    {
        Id = id,
        Path = path,
        Entry = line.Entry,
        Attributes = line.Attributes,
        Catalog = catalog,
        Identity = Identity(path, catalog, line),
        Chunks = line.Chunks,
    };

    /// <summary>
    /// The path; for hard links their group and all that a reader sees, for some publishers use a group's number twice in a catalog and
    /// the second file must not show the first one's bytes.
    /// </summary>
    private static ObjectKey Identity(byte[] path, ObjectKey catalog, Listed line)
    {
        CatalogAttributes a = line.Attributes;
        if (a.LinkGroup == 0 || line.Entry.IsDirectory)
        {
            return NamedKey.Of([0, .. path]);
        }

        using var all = new MemoryStream();
        Span<byte> digest = stackalloc byte[ObjectKey.DigestSizeBytes];
        all.Write("\u0001"u8);
        Append(all, catalog, digest);
        if (line.Entry.Object is ObjectKey content)
        {
            Append(all, content, digest);
        }

        foreach (CatalogChunk chunk in line.Chunks ?? [])
        {
            Append(all, chunk.Object, digest);
        }

        Span<byte> numbers = stackalloc byte[48];
        BinaryPrimitives.WriteUInt32LittleEndian(numbers, a.LinkGroup);
        BinaryPrimitives.WriteUInt32LittleEndian(numbers[4..], a.Mode);
        BinaryPrimitives.WriteUInt32LittleEndian(numbers[8..], a.Uid);
        BinaryPrimitives.WriteUInt32LittleEndian(numbers[12..], a.Gid);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[16..], a.ModifiedAt);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[24..], line.Entry.SizeBytes);
        BinaryPrimitives.WriteInt32LittleEndian(numbers[32..], (int)line.Entry.Flags);
        BinaryPrimitives.WriteInt32LittleEndian(numbers[36..], a.LinkTarget.Length);
        BinaryPrimitives.WriteInt32LittleEndian(numbers[40..], a.Xattrs?.Length ?? 0);
        BinaryPrimitives.WriteInt32LittleEndian(numbers[44..], line.Chunks?.Count ?? 0);
        all.Write(numbers);
        all.Write(a.LinkTarget);
        all.Write(a.Xattrs ?? []);
        return NamedKey.Of(all.ToArray());
    }

    private static void Append(MemoryStream to, ObjectKey key, Span<byte> digest)
    {
        key.CopyDigestTo(digest);
        to.Write(digest);
    }
}
