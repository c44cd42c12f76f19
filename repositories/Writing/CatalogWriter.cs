using System.Globalization;
using Breakwater.CacheStore;
using SQLitePCL;

namespace Breakwater.Repositories.Writing;

/// <summary>
/// Writes one catalog as a SQLite file, schema 2.5 revision 6, which <see cref="Catalog"/> and the clients read once it is compressed. One
/// thread
/// at a time; <see cref="Complete"/>, then dispose.
/// </summary>
public sealed class CatalogWriter : IDisposable
{
    /// <summary>The statements of the usual server, to the letter: what it opens later is what it would have made.</summary>
    private static readonly string[] s_schema =
    [
        "CREATE TABLE properties (key TEXT, value TEXT, CONSTRAINT pk_properties PRIMARY KEY (key))",
        "CREATE TABLE catalog (md5path_1 INTEGER, md5path_2 INTEGER, parent_1 INTEGER, parent_2 INTEGER, hardlinks INTEGER, hash BLOB, "
            + "size INTEGER, mode INTEGER, mtime INTEGER, flags INTEGER, name TEXT, symlink TEXT, uid INTEGER, gid INTEGER,  xattr BLOB,  "
            + "CONSTRAINT pk_catalog PRIMARY KEY (md5path_1, md5path_2))",
        "CREATE INDEX idx_catalog_parent ON catalog (parent_1, parent_2)",
        "CREATE TABLE chunks (md5path_1 INTEGER, md5path_2 INTEGER, offset INTEGER, size INTEGER,  hash BLOB,  "
            + "CONSTRAINT pk_chunks PRIMARY KEY (md5path_1, md5path_2, offset, size),  "
            + "FOREIGN KEY (md5path_1, md5path_2) REFERENCES    catalog(md5path_1, md5path_2))",
        "CREATE TABLE nested_catalogs (path TEXT, sha1 TEXT, size INTEGER, CONSTRAINT pk_nested_catalogs PRIMARY KEY (path))",
        "CREATE TABLE bind_mountpoints (path TEXT, sha1 TEXT, size INTEGER, CONSTRAINT pk_bind_mountpoints PRIMARY KEY (path))",
        "CREATE TABLE statistics (counter TEXT, value INTEGER, CONSTRAINT pk_statistics PRIMARY KEY (counter))",
    ];

    private readonly DatabaseWriter _database;
    private readonly sqlite3_stmt _rows;
    private readonly sqlite3_stmt _chunks;
    private readonly sqlite3_stmt _nested;

    /// <summary>Begins a catalog.</summary>
    /// <param name="file">A path where nothing is.</param>
    /// <param name="head">What it says of itself.</param>
    /// <exception cref="IOException">The disk does not take it.</exception>
    public CatalogWriter(string file, CatalogHead head)
    {
        _database = new DatabaseWriter(file, s_schema);
        WriteProperties(head);
        _rows = _database.Prepare("INSERT INTO catalog VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)");
        _chunks = _database.Prepare("INSERT INTO chunks VALUES (?1, ?2, ?3, ?4, ?5)");
        _nested = _database.Prepare("INSERT INTO nested_catalogs VALUES (?1, ?2, ?3)");
    }

    /// <summary>Adds an entry.</summary>
    /// <exception cref="IOException">The disk does not take it, or there is one with that key.</exception>
    public void Add(in CatalogRow row)
    {
        _database.Bind(_rows, 1, row.Key.First);
        _database.Bind(_rows, 2, row.Key.Second);
        _database.Bind(_rows, 3, row.Parent.First);
        _database.Bind(_rows, 4, row.Parent.Second);
        _database.Bind(_rows, 5, row.HardLinks);
        _database.BindBlob(_rows, 6, row.Digest.Span);
        _database.Bind(_rows, 7, row.SizeBytes);
        _database.Bind(_rows, 8, row.Mode);
        _database.Bind(_rows, 9, row.ModifiedAt);
        _database.Bind(_rows, 10, (long)row.Flags);
        _database.BindText(_rows, 11, row.Name.Span);
        _database.BindText(_rows, 12, row.LinkTarget.Span);
        _database.Bind(_rows, 13, row.Uid);
        _database.Bind(_rows, 14, row.Gid);
        _database.BindBlob(_rows, 15, row.Xattrs.Span);
        _database.Run(_rows);
    }

    /// <summary>Adds a chunk of a file, in the file's order and without gaps.</summary>
    /// <param name="file">Key of the file's path.</param>
    /// <param name="offset">Where it begins.</param>
    /// <param name="sizeBytes">Its length once inflated.</param>
    /// <param name="digest">SHA-1 of its object.</param>
    public void AddChunk(PathKey file, long offset, long sizeBytes, ReadOnlySpan<byte> digest)
    {
        _database.Bind(_chunks, 1, file.First);
        _database.Bind(_chunks, 2, file.Second);
        _database.Bind(_chunks, 3, offset);
        _database.Bind(_chunks, 4, sizeBytes);
        _database.BindBlob(_chunks, 5, digest);
        _database.Run(_chunks);
    }

    /// <summary>Adds a catalog that hangs below this one.</summary>
    /// <param name="path">Absolute path of the directory at which it begins.</param>
    /// <param name="catalog">Its object.</param>
    /// <param name="inflatedBytes">Length of its SQLite file.</param>
    public void AddNested(ReadOnlySpan<byte> path, in ObjectKey catalog, long inflatedBytes)
    {
        _database.BindText(_nested, 1, path);
        _database.BindText(_nested, 2, ManifestDraft.Hex(catalog));
        _database.Bind(_nested, 3, inflatedBytes);
        _database.Run(_nested);
    }

    /// <summary>Ends the catalog: all of it is in the file.</summary>
    /// <param name="self">What its own rows count.</param>
    /// <param name="subtree">What all catalogs below it count.</param>
    public void Complete(CatalogCounters self, CatalogCounters subtree)
    {
        sqlite3_stmt statement = _database.Prepare("INSERT INTO statistics VALUES (?1, ?2)");
        foreach ((string prefix, CatalogCounters counters) in ((string, CatalogCounters)[])[("self_", self), ("subtree_", subtree)])
        {
            foreach ((string name, long value) in counters.Rows())
            {
                _database.BindText(statement, 1, prefix + name);
                _database.Bind(statement, 2, value);
                _database.Run(statement);
            }
        }

        _database.Complete();
    }

    /// <inheritdoc/>
    public void Dispose() => _database.Dispose();

    private void WriteProperties(CatalogHead head)
    {
        const string Sql = "INSERT INTO properties VALUES (?1, ?2)";
        _database.Insert(Sql, "schema", "2.5");
        _database.Insert(Sql, "schema_revision", "6");
        if (head.Prefix.IsEmpty)
        {
            _database.Insert(Sql, "TTL", ((long)head.Ttl.TotalSeconds).ToString(CultureInfo.InvariantCulture));
        }
        else
        {
            sqlite3_stmt statement = _database.Prepare("INSERT INTO properties VALUES ('root_prefix', ?1)");
            _database.BindText(statement, 1, head.Prefix.Span);
            _database.Run(statement);
        }

        _database.Insert(Sql, "last_modified", head.ModifiedAt.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        _database.Insert(Sql, "revision", head.Revision.ToString(CultureInfo.InvariantCulture));
        _database.Insert(Sql, "previous_revision", head.Previous is { } previous ? ManifestDraft.Hex(previous) : new string('0', 40));
    }
}
