using System.Text;
using Breakwater.CacheStore;
using Breakwater.Repositories;
using Breakwater.Repositories.Writing;
using Breakwater.TestSupport;
using Microsoft.Data.Sqlite;

namespace Breakwater.Proxy.Tests.Repositories;

/// <summary>Databases of a few rows as our writers make them, changed by SQL, as plain bytes.</summary>
internal static class SmallCatalog
{
    /// <summary>The digest of <c>/d/f</c>, of the chunks of <c>/c</c>, and of the catalog at <c>/n</c>.</summary>
    public static readonly byte[] Digest = [.. Enumerable.Range(1, 20).Select(i => (byte)i)];

    public static ObjectKey Nested => new(Digest, DigestAlgorithm.Sha1, ObjectKind.Catalog);

    /// <summary>
    /// The root, <c>/d</c> with the file <c>f</c> of 4 bytes, <c>/c</c> of 30 bytes in two chunks, the link <c>/l</c>, and <c>/n</c>, at
    /// which a catalog begins.
    /// </summary>
    public static byte[] Of(string sql = "") => Written(file => Write(file, "", Rows()), sql);

    /// <summary>A catalog that begins elsewhere, with a root and these names.</summary>
    public static byte[] Below(string prefix, params string[] names) => Written(
        file => Write(
            file, prefix, [Row(prefix, CatalogFlags.Directory), .. names.Select(name => Row($"{prefix}/{name}", CatalogFlags.File))]),
        "");

    public static async Task<Catalog> OpenAsync(byte[] bytes, CatalogLimits? limits = null)
    {
        Parsed<Catalog> opened = await Catalog.OpenAsync(new MemoryStream(bytes), limits ?? CatalogLimits.Default);
        Assert.True(opened.TryGet(out Catalog? catalog, out string? problem), problem);
        return catalog;
    }

    /// <summary>Writes a database, changes it and reads its bytes.</summary>
    public static byte[] Written(Action<string> write, string sql)
    {
        using var directory = new TemporaryDirectory();
        string file = directory.Combine("plain.db");
        write(file);
        if (sql.Length > 0)
        {
            using var connection = new SqliteConnection($"Data Source={file};Pooling=False;Foreign Keys=False");
            connection.Open();
            using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // The tests' own text.
            command.CommandText = sql;
#pragma warning restore CA2100
            command.ExecuteNonQuery();
        }

        return File.ReadAllBytes(file);
    }

    private static void Write(string file, string prefix, IReadOnlyList<CatalogRow> rows)
    {
        using var writer = new CatalogWriter(file, new CatalogHead
        {
            Prefix = Encoding.UTF8.GetBytes(prefix),
            Revision = 7,
            Ttl = TimeSpan.FromMinutes(4),
            ModifiedAt = DateTimeOffset.UnixEpoch,
        });
        foreach (CatalogRow row in rows)
        {
            writer.Add(row);
        }

        if (rows.Any(row => row.Key == PathKey.Of("/c")))
        {
            writer.AddChunk(PathKey.Of("/c"), 0, 10, Digest);
            writer.AddChunk(PathKey.Of("/c"), 10, 20, Digest);
            writer.AddNested("/n"u8, Nested, 4096);
        }

        writer.Complete(default, default);
    }

    private static CatalogRow[] Rows() =>
    [
        Row("", CatalogFlags.Directory),
        Row("/d", CatalogFlags.Directory),
        Row("/d/f", CatalogFlags.File) with { SizeBytes = 4, Digest = Digest },
        Row("/c", CatalogFlags.File | CatalogFlags.Chunked) with { SizeBytes = 30 },
        Row("/l", CatalogFlags.File | CatalogFlags.Link) with { LinkTarget = "t"u8.ToArray() },
        Row("/n", CatalogFlags.Directory | CatalogFlags.NestedMountpoint),
    ];

    private static CatalogRow Row(string path, CatalogFlags flags) => new()
    {
        Key = PathKey.Of(path),
        Parent = path.Length == 0 ? default : PathKey.Of(path[..path.LastIndexOf('/')]),
        Name = Encoding.UTF8.GetBytes(path[(path.LastIndexOf('/') + 1)..]),
        Flags = flags,
        SizeBytes = 0,
        Mode = 0x81a4,
        ModifiedAt = 0,
        Uid = 0,
        Gid = 0,
        HardLinks = 1,
    };
}
