using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Breakwater.CacheStore;
using SQLitePCL;

namespace Breakwater.Repositories;

/// <summary>
/// One open catalog (object of kind <c>C</c>): the entries of a subtree, without those of the catalogs nested in it.
/// The content is untrusted: whatever is malformed ends the operation with a sentence. One thread at a time; dispose after use.
/// </summary>
/// <remarks>Format: schema 2.x of CernVM-FS (<c>catalog_sql.cc</c>).</remarks>
public sealed partial class Catalog : IDisposable
{
    private const int MaxNestedCatalogs = 200_000;

    /// <summary>Paths of the nested catalogs of one catalog, in memory as long as it is open.</summary>
    private const int MaxNestedPathChars = 16 << 20;

    private const int MaxNameBytes = 255;
    private const int MaxPathBytes = 4096;
    private const int MaxChunks = 1_000_000;
    private const string Columns = "md5path_1, md5path_2, hash, size, flags, CAST(name AS BLOB), symlink, parent_1, parent_2";

    private readonly UntrustedDatabase _database;
    private readonly long _maxRows;

    private Catalog(UntrustedDatabase database, long maxRows)
    {
        _database = database;
        _maxRows = maxRows;
    }

    /// <summary>Absolute path of the directory at which the catalog begins; empty for a root catalog.</summary>
    public string Prefix { get; private set; } = "";

    /// <summary>The revision in which it was written; 0 when it does not say.</summary>
    public ulong Revision { get; private set; }

    /// <summary>The catalogs nested directly in this one, by path.</summary>
    public IReadOnlyList<NestedCatalog> Nested { get; private set; } = [];

    /// <summary>Inflates and opens a catalog.</summary>
    /// <param name="wire">The object as on the wire, its hash verified already; seekable, at its beginning. Stays the caller's.</param>
    /// <param name="limits">Bounds on size and rows.</param>
    /// <param name="cancellationToken">Stops the inflating.</param>
    public static async Task<Parsed<Catalog>> OpenAsync(Stream wire, CatalogLimits limits, CancellationToken cancellationToken = default)
    {
        Parsed<UntrustedDatabase> opened =
            await UntrustedDatabase.OpenAsync(wire, limits, ["catalog", "chunks", "nested_catalogs", "properties"], cancellationToken);
        if (!opened.TryGet(out UntrustedDatabase? database, out string? problem))
        {
            return new Malformed($"Catalog: {problem}");
        }

        var catalog = new Catalog(database, limits.MaxRows);
        problem = catalog.ReadProperties() ?? catalog.ReadNested();
        if (problem is null)
        {
            return catalog;
        }

        catalog.Dispose();
        return new Malformed($"Catalog: {problem}");
    }

    /// <summary>Looks a path up. Entry null without a problem: it is not in this catalog.</summary>
    public string? Find(string path, out CatalogEntry? entry) => Find(PathKey.Of(path), path, out entry);

    /// <summary>Lists what is directly in a directory of this catalog, in no order.</summary>
    public string? List(string directory, Action<CatalogEntry> visit)
    {
        long rows = 0;
        return List(PathText.Bytes(directory), visit, directories: null, ref rows);
    }

    /// <summary>Visits every entry: the catalog's root, then directory by directory, parents before children.</summary>
    /// <remarks>
    /// Memory: the names of the directories not yet visited. Each path's key is checked, so that a malformed tree has no cycles.
    /// </remarks>
    public string? Walk(Action<CatalogEntry> visit)
    {
        string? problem = Find(Prefix, out CatalogEntry? root);
        if (problem is not null || root is null)
        {
            return problem ?? $"Catalog: it has no entry for its own root '{Prefix}'.";
        }

        visit(root);
        long rows = 1;
        Stack<byte[]> directories = new([PathText.Bytes(Prefix)]);
        while (problem is null && directories.TryPop(out byte[]? directory))
        {
            problem = List(directory, visit, directories, ref rows);
        }

        return problem;
    }

    /// <summary>
    /// The objects that hold a file's bytes, in the file's order: its chunks, or the one object. Empty for what has none here.
    /// </summary>
    /// <param name="entry">The file.</param>
    /// <param name="objects">Gets them.</param>
    /// <param name="most">More chunks than that are a problem.</param>
    public string? ReadObjects(CatalogEntry entry, List<ObjectKey> objects, int most = MaxChunks)
    {
        // An empty file stored plain was never uploaded: its object would have no byte.
        if (!entry.HasObjects || (entry.SizeBytes == 0 && entry.IsStoredPlain))
        {
            return null;
        }

        if (!entry.IsChunked)
        {
            if (entry.Object is ObjectKey key)
            {
                objects.Add(key);
            }

            return null;
        }

        List<CatalogChunk> chunks = [];
        string? problem = ReadChunks(entry, chunks, most);
        objects.AddRange(chunks.Select(chunk => chunk.Object));
        return problem;
    }

    /// <summary>The chunks of a file, in order, which must cover it without gap or overlap.</summary>
    /// <param name="entry">The file.</param>
    /// <param name="chunks">Gets them.</param>
    /// <param name="most">More than that are a problem.</param>
    public string? ReadChunks(CatalogEntry entry, List<CatalogChunk> chunks, int most = MaxChunks)
    {
        string? problem = _database.Prepare(
            "SELECT offset, size, hash FROM chunks WHERE md5path_1=?1 AND md5path_2=?2 ORDER BY offset",
            out sqlite3_stmt statement);
        if (problem is not null)
        {
            return $"Catalog: {problem}";
        }

        Bind(statement, entry.Key);
        long end = 0;
        while ((problem = _database.Step(statement, out bool hasRow)) is null && hasRow)
        {
            long offset = raw.sqlite3_column_int64(statement, 0);
            long size = raw.sqlite3_column_int64(statement, 1);
            ReadOnlySpan<byte> hash = raw.sqlite3_column_blob(statement, 2);
            if (offset != end || size <= 0 || hash.Length != ObjectKey.DigestSizeBytes || chunks.Count == most)
            {
                raw.sqlite3_reset(statement);
                return $"Catalog: the chunks of '{entry.Path}' do not fit together.";
            }

            end = offset + size;
            chunks.Add(new CatalogChunk(offset, size, new ObjectKey(hash, entry.Algorithm, ObjectKind.Chunk)));
        }

        if (problem is not null)
        {
            return $"Catalog: {problem}";
        }

        return end == entry.SizeBytes ? null : $"Catalog: the chunks of '{entry.Path}' cover {end} of its {entry.SizeBytes} bytes.";
    }

    /// <summary>Visits the chunks of all files, in no order.</summary>
    public string? ScanChunks(ChunkVisitor visit)
    {
        string? problem = _database.Prepare("SELECT md5path_1, md5path_2, offset, size, hash FROM chunks", out sqlite3_stmt statement);
        if (problem is not null)
        {
            return $"Catalog: {problem}";
        }

        while ((problem = _database.Step(statement, out bool hasRow)) is null && hasRow)
        {
            ReadOnlySpan<byte> digest = raw.sqlite3_column_blob(statement, 4);
            if (digest.Length == ObjectKey.DigestSizeBytes)
            {
                visit(
                    new PathKey(raw.sqlite3_column_int64(statement, 0), raw.sqlite3_column_int64(statement, 1)),
                    raw.sqlite3_column_int64(statement, 2),
                    raw.sqlite3_column_int64(statement, 3),
                    digest);
            }
        }

        return problem is null ? null : $"Catalog: {problem}";
    }

    /// <summary>Visits every row in the order of its path's key, without its path: for comparing two catalogs.</summary>
    public CatalogCursor Scan() => new(this, _database);

    /// <summary>The path behind a key, by climbing to the catalog's root. Null: the key is unknown or hangs in the air.</summary>
    public string? PathOf(PathKey key, out string? path)
    {
        path = null;
        List<string> names = [];
        int chars = 0;
        PathKey prefixKey = PathKey.Of(Prefix);
        for (PathKey at = key; at != prefixKey;)
        {
            string? problem = _database.Prepare(
                "SELECT CAST(name AS BLOB), parent_1, parent_2 FROM catalog WHERE md5path_1=?1 AND md5path_2=?2",
                out sqlite3_stmt statement);
            if (problem is not null)
            {
                return $"Catalog: {problem}";
            }

            Bind(statement, at);
            problem = _database.Step(statement, out bool hasRow);
            if (problem is not null || !hasRow || chars > MaxPathBytes)
            {
                raw.sqlite3_reset(statement);
                return problem is null ? null : $"Catalog: {problem}";
            }

            ReadOnlySpan<byte> name = raw.sqlite3_column_blob(statement, 0);
            if (name.Length > MaxNameBytes)
            {
                raw.sqlite3_reset(statement);
                return null;
            }

            chars += name.Length + 1;
            names.Add(PathText.Of(name));
            at = new PathKey(raw.sqlite3_column_int64(statement, 1), raw.sqlite3_column_int64(statement, 2));
            raw.sqlite3_reset(statement);
        }

        names.Reverse();
        path = names.Count == 0 ? Prefix : Prefix + "/" + string.Join('/', names);
        return null;
    }

    /// <inheritdoc/>
    public void Dispose() => _database.Dispose();

    /// <summary>Reads an entry off a statement whose columns are <see cref="Columns"/>. False: the row is malformed.</summary>
    public static bool TryReadEntry(sqlite3_stmt row, string path, [NotNullWhen(true)] out CatalogEntry? entry)
    {
        entry = null;
        long flags = raw.sqlite3_column_int64(row, 4);
        ReadOnlySpan<byte> hash = raw.sqlite3_column_blob(row, 2);
        long algorithm = (flags >> 8) & 7;
        long compression = (flags >> 11) & 7;
        long size = raw.sqlite3_column_int64(row, 3);
        if (flags is < 0 or > int.MaxValue || algorithm > 2 || compression > 1 || size < 0
            || hash.Length is not (0 or ObjectKey.DigestSizeBytes))
        {
            return false;
        }

        entry = new CatalogEntry
        {
            Path = path,
            Key = new PathKey(raw.sqlite3_column_int64(row, 0), raw.sqlite3_column_int64(row, 1)),
            Parent = new PathKey(raw.sqlite3_column_int64(row, 7), raw.sqlite3_column_int64(row, 8)),
            Flags = (CatalogFlags)(flags & ~0x3f00),
            SizeBytes = size,
            Algorithm = (DigestAlgorithm)algorithm,
            IsStoredPlain = compression == 1,
            Object = hash.Length == 0 ? null : new ObjectKey(hash, (DigestAlgorithm)algorithm, 0),
            LinkTarget = (flags & (long)CatalogFlags.Link) == 0 || raw.sqlite3_column_bytes(row, 6) > MaxPathBytes
                ? ""
                : raw.sqlite3_column_text(row, 6).utf8_to_string() ?? "",
        };
        return true;
    }

    internal static string ScanSql => $"SELECT {Columns} FROM catalog ORDER BY md5path_1, md5path_2";

    private string? Find(PathKey key, string path, out CatalogEntry? entry)
    {
        entry = null;
        string? problem =
            _database.Prepare($"SELECT {Columns} FROM catalog WHERE md5path_1=?1 AND md5path_2=?2", out sqlite3_stmt statement);
        if (problem is not null)
        {
            return $"Catalog: {problem}";
        }

        Bind(statement, key);
        problem = _database.Step(statement, out bool hasRow);
        if (problem is null && hasRow && !TryReadEntry(statement, path, out entry))
        {
            problem = $"the entry of '{path}' is malformed.";
        }

        raw.sqlite3_reset(statement);
        return problem is null ? null : $"Catalog: {problem}";
    }

    private string? List(byte[] directory, Action<CatalogEntry> visit, Stack<byte[]>? directories, ref long rows) =>
        VisitChildren(ChildrenSql, directory, ref rows, (path, _, entry) =>
        {
            visit(entry);
            if (directories is not null && entry.IsDirectory && (entry.Flags & CatalogFlags.NestedMountpoint) == 0)
            {
                directories.Push(path.ToArray());
            }
        });

    /// <summary>Reads one row of a listing and checks that its key is that of its path.</summary>
    private static string? ReadChild(sqlite3_stmt row, ReadOnlySpan<byte> name, Span<byte> path, int start, out CatalogEntry? entry)
    {
        entry = null;
        if (name.Length is 0 or > MaxNameBytes || start + name.Length > MaxPathBytes || name.Contains((byte)'/') || name.Contains((byte)0))
        {
            return "a name is empty, too long or has a slash.";
        }

        name.CopyTo(path[start..]);
        ReadOnlySpan<byte> child = path[..(start + name.Length)];
        string text = PathText.Of(child);
        if (!TryReadEntry(row, text, out entry))
        {
            return $"the entry of '{text}' is malformed.";
        }

        return entry.Key == PathKey.Of(child) ? null : $"the key of '{text}' is not that of its path.";
    }

    private string? ReadProperties()
    {
        string? problem = _database.Prepare("SELECT key, value FROM properties LIMIT 1000", out sqlite3_stmt statement);
        if (problem is not null)
        {
            return problem;
        }

        while ((problem = _database.Step(statement, out bool hasRow)) is null && hasRow)
        {
            string value = PathText.Of(raw.sqlite3_column_blob(statement, 1));
            switch (raw.sqlite3_column_text(statement, 0).utf8_to_string())
            {
                case "schema" when !value.StartsWith("2.", StringComparison.Ordinal):
                    raw.sqlite3_reset(statement);
                    return $"its schema is '{value}'; 2.x is known here.";
                case "root_prefix":
                    Prefix = value;
                    break;
                case "revision":
                    Revision = ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out ulong revision) ? revision : 0;
                    break;
            }
        }

        return problem ?? (Prefix.Length == 0 || IsAbsolute(Prefix) ? null : $"its root '{Prefix}' is not an absolute path.");
    }

    private string? ReadNested()
    {
        string? problem = _database.Prepare("SELECT path, sha1, size FROM nested_catalogs ORDER BY path", out sqlite3_stmt statement);
        if (problem is not null)
        {
            return problem;
        }

        List<NestedCatalog> nested = [];
        HashSet<string> paths = new(StringComparer.Ordinal); // the order is the publisher's to choose, by the column's collation
        long chars = 0;
        while ((problem = _database.Step(statement, out bool hasRow)) is null && hasRow)
        {
            string path = PathText.Of(raw.sqlite3_column_blob(statement, 0));
            string hash = raw.sqlite3_column_text(statement, 1).utf8_to_string() ?? "";
            if (!IsAbsolute(path) || !path.StartsWith(Prefix + "/", StringComparison.Ordinal)
                || !Manifest.TryKey(hash, 'C', out ObjectKey key)
                || nested.Count == MaxNestedCatalogs || (chars += path.Length) > MaxNestedPathChars || !paths.Add(path))
            {
                raw.sqlite3_reset(statement);
                return $"the nested catalog at '{path}' is malformed.";
            }

            nested.Add(new NestedCatalog(path, key, Math.Max(0, raw.sqlite3_column_int64(statement, 2))));
        }

        Nested = nested;
        return problem;
    }

    private static bool IsAbsolute(string path) => path.Length is > 1 and <= MaxPathBytes && path[0] == '/' && path[^1] != '/';

    private static void Bind(sqlite3_stmt statement, PathKey key)
    {
        raw.sqlite3_bind_int64(statement, 1, key.First);
        raw.sqlite3_bind_int64(statement, 2, key.Second);
    }
}
