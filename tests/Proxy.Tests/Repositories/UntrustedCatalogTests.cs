using System.IO.Compression;
using Breakwater.CacheStore;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Data.Sqlite;

namespace Breakwater.Proxy.Tests.Repositories;

/// <summary>Whatever a catalog has in it, its reader ends with entries or a sentence, within bounds of work and memory.</summary>
public sealed class UntrustedCatalogTests
{
    [Fact]
    public async Task Catalogs_OpenAtATime_ShareTheRoomForInflatedOnes()
    {
        byte[] wire = await CatalogOf(500_000);
        CatalogLimits limits = new() { OpenBytes = new(1_300_000) };
        Catalog first = (await Catalog.OpenAsync(new MemoryStream(wire), limits)).Value!;
        using (Catalog second = (await Catalog.OpenAsync(new MemoryStream(wire), limits)).Value!)
        {
            Parsed<Catalog> third = await Catalog.OpenAsync(new MemoryStream(wire), limits);
            Assert.False(third.TryGet(out _, out string? problem));
            Assert.Contains("used up the room", problem, StringComparison.Ordinal);
        }

        first.Dispose();
        Assert.Equal(0, limits.OpenBytes.Taken);
    }

    [Fact]
    public async Task Catalog_ThatInflatesBeyondMeasure_IsRefusedAndGivesItsRoomBack()
    {
        byte[] wire = await CatalogOf(40 << 20); // zeros: 1,000 to 1
        CatalogLimits limits = new() { OpenBytes = new(512 << 20) };
        Assert.False((await Catalog.OpenAsync(new MemoryStream(wire), limits)).TryGet(out _, out string? problem));
        Assert.Contains("inflates to more than", problem, StringComparison.Ordinal);
        Assert.Equal(0, limits.OpenBytes.Taken);
    }

    /// <summary>A fixture's root catalog, followed by so many zeros.</summary>
    private static async Task<byte[]> CatalogOf(int zeros)
    {
        Fixture fixture = Fixture.Load("rmd.example.org");
        byte[] plain = await Inflated(fixture.Wire(Manifest.Parse(fixture.ManifestBytes).Value!.RootCatalog));
        return Packed.Zlib([.. plain, .. new byte[zeros]]);
    }

    private static async Task<byte[]> Inflated(byte[] wire)
    {
        using var plain = new MemoryStream();
        await using var zlib = new ZLibStream(new MemoryStream(wire), CompressionMode.Decompress);
        await zlib.CopyToAsync(plain);
        return plain.ToArray();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Catalog_RandomDamage_EndsWithEntriesOrASentence(bool damageInflated)
    {
        Fixture fixture = Fixture.Load("tiny.example.org");
        byte[] wire = fixture.Wire(fixture.Manifest.RootCatalog);
        byte[] original = damageInflated ? fixture.Content(fixture.Manifest.RootCatalog, isStoredPlain: false) : wire;

        await RandomDamage.ReadAsync(original, async bytes => await ReadAll(bytes), RandomDamage.Runs);
    }

    [Fact]
    public async Task Catalog_TruncatedAnywhere_EndsWithASentence()
    {
        Fixture fixture = Fixture.Load("tiny.example.org");
        byte[] wire = fixture.Wire(fixture.Manifest.RootCatalog);
        for (int length = 0; length < wire.Length - 64; length += 37)
        {
            Parsed<Catalog> opened = await Catalog.OpenAsync(new MemoryStream(wire, 0, length), CatalogLimits.Default);
            Assert.NotNull(opened.Value is { } catalog ? Walk(catalog) : opened.Problem);
        }
    }

    [Fact]
    public async Task Catalog_ThatInflatesPastTheLimit_IsRefusedWithoutFillingTheDisk()
    {
        byte[] bomb = Packed.Zlib(new byte[8 << 20]);
        using var directory = new TemporaryDirectory();
        CatalogLimits limits = new() { MaxInflatedBytes = 1 << 20, TemporaryDirectory = directory.Path };

        Parsed<Catalog> opened = await Catalog.OpenAsync(new MemoryStream(bomb), limits);

        Assert.Contains("1048576", opened.Problem, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(directory.Path));
    }

    [Fact]
    public async Task Catalog_Open_LeavesNoFileBehind()
    {
        Fixture fixture = Fixture.Load("tiny.example.org");
        using var directory = new TemporaryDirectory();
        CatalogLimits limits = new() { TemporaryDirectory = directory.Path };

        using Catalog catalog = (await Catalog.OpenAsync(new MemoryStream(fixture.Wire(fixture.Manifest.RootCatalog)), limits)).Value!;

        Assert.Empty(Directory.GetFiles(directory.Path));
        Assert.Null(Walk(catalog));
    }

    [Fact]
    public async Task Catalog_MoreRowsThanAllowed_EndsWithASentence()
    {
        Fixture fixture = Fixture.Load("tiny.example.org");
        byte[] wire = fixture.Wire(fixture.Manifest.RootCatalog);

        using Catalog catalog = (await Catalog.OpenAsync(new MemoryStream(wire), new CatalogLimits { MaxRows = 3 })).Value!;

        Assert.Contains("more than 3 rows", Walk(catalog), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("DROP TABLE catalog; CREATE VIEW catalog AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i AS "
        + "md5path_1 FROM n")]
    [InlineData("DROP TABLE catalog; CREATE VIRTUAL TABLE catalog USING fts5(md5path_1, md5path_2)")]
    [InlineData("DROP TABLE chunks")]
    [InlineData("UPDATE properties SET value='9.9' WHERE key='schema'")]
    [InlineData("INSERT INTO properties VALUES('root_prefix','relative')")]
    [InlineData("INSERT INTO nested_catalogs VALUES('/../etc','zz',1)")]
    [InlineData("INSERT INTO nested_catalogs VALUES('/x','0000000000000000000000000000000000000000C',1)")]
    [InlineData("DROP TABLE nested_catalogs; CREATE TABLE nested_catalogs (path, sha1, size); INSERT INTO nested_catalogs "
        + "VALUES('/x','0000000000000000000000000000000000000000',1),('/y','0000000000000000000000000000000000000000',1),"
        + "(x'2f78','0000000000000000000000000000000000000000',1)")]
    [InlineData("DROP TABLE nested_catalogs; CREATE TABLE nested_catalogs (path COLLATE NOCASE, sha1, size); INSERT INTO nested_catalogs "
        + "VALUES('/x','0000000000000000000000000000000000000000',1),('/X','0000000000000000000000000000000000000000',1),"
        + "('/x','0000000000000000000000000000000000000000',1)")]
    public async Task Catalog_HostileSchema_IsNotOpened(string sql)
    {
        Parsed<Catalog> opened = await Catalog.OpenAsync(new MemoryStream(await Altered(sql)), CatalogLimits.Default);

        Assert.NotNull(opened.Problem);
    }

    [Fact]
    public async Task CatalogTree_CatalogsThatNameAllBelowThem_AreNotWalkedByEveryWay()
    {
        // Each names all catalogs below it, not only its children: there are 2^23 ways to the last one.
        const int Depth = 24;
        static string PathOf(int level) => string.Concat(Enumerable.Range(1, level).Select(i => $"/d{i}"));
        static string HashOf(int level) => level.ToString("x40", System.Globalization.CultureInfo.InvariantCulture);
        Dictionary<string, byte[]> catalogs = [];
        for (int level = 0; level < Depth; level++)
        {
            string below =
                string.Concat(Enumerable.Range(level + 1, Depth - 1 - level)
                .Select(i => $"INSERT INTO nested_catalogs VALUES('{PathOf(i)}','{HashOf(i)}',1);"));
            catalogs[HashOf(level) + "C"] =
                await Altered(
                $"INSERT OR REPLACE INTO properties VALUES('root_prefix','{PathOf(level)}'); DELETE FROM nested_catalogs; {below}");
        }

        int opened = 0;
        var tree = new CatalogTree(ObjectKey.Parse(HashOf(0) + "C"), (key, cancel) =>
            ++opened > 2 * Depth
            ? throw new InvalidOperationException("walked again and again")
            : Catalog.OpenAsync(new MemoryStream(catalogs[key.ToString()]), CatalogLimits.Default, cancel));

        string? problem = await tree.WalkAsync((_, _) => null);

        Assert.Contains("hangs below two catalogs", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("UPDATE catalog SET parent_1=md5path_1, parent_2=md5path_2, name='loop' WHERE name='lib'")]
    [InlineData("UPDATE catalog SET name='../../etc/passwd' WHERE name='lib'")]
    [InlineData("UPDATE catalog SET name='other' WHERE name='lib'")]
    [InlineData("UPDATE catalog SET name='' WHERE name='lib'")]
    [InlineData("UPDATE catalog SET hash=x'00' WHERE name='version'")]
    [InlineData("UPDATE catalog SET hash=zeroblob(2000000) WHERE name='version'")]
    [InlineData("UPDATE catalog SET flags=-1 WHERE name='version'")]
    [InlineData("UPDATE catalog SET flags=0x3fff WHERE name='version'")]
    [InlineData("UPDATE catalog SET size=-5 WHERE name='version'")]
    [InlineData("DELETE FROM catalog WHERE name=''")]
    public async Task Catalog_HostileRows_EndTheWalkOrAreOutOfReach(string sql)
    {
        Parsed<Catalog> opened = await Catalog.OpenAsync(new MemoryStream(await Altered(sql)), CatalogLimits.Default);
        using Catalog catalog = opened.Value!;
        List<string> paths = [];

        string? problem = catalog.Walk(entry => paths.Add(entry.Path));

        Assert.True(problem is not null || !paths.Exists(path => path.Contains("lib", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Catalog_LookUpsWithoutIndex_AreBoundedInWork()
    {
        // A million rows and no index make every look-up a scan of the table: fine once, not for every path of a working set.
        byte[] database = await Altered(
            "DROP INDEX idx_catalog_parent; DROP TABLE catalog; CREATE TABLE catalog (md5path_1 INTEGER, md5path_2 INTEGER, parent_1 "
            + "INTEGER, parent_2 INTEGER, "
            + "hash BLOB, size INTEGER, flags INTEGER, name TEXT, symlink TEXT); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 "
            + "FROM n WHERE i<200000) "
            + "INSERT INTO catalog SELECT i,i,i,i,NULL,0,4,'x','' FROM n");
        using Catalog catalog = (await Catalog.OpenAsync(new MemoryStream(database), CatalogLimits.Default)).Value!;
        string? problem = null;
        int lookUps = 0;
        while (problem is null && lookUps < 100_000)
        {
            lookUps++;
            problem = catalog.Find("/path/" + lookUps, out _);
        }

        Assert.Contains("more work", problem, StringComparison.Ordinal);
    }

    private static async Task<bool> ReadAll(byte[] bytes)
    {
        Parsed<Catalog> opened = await Catalog.OpenAsync(new MemoryStream(bytes), CatalogLimits.Default);
        if (opened.Value is not { } catalog)
        {
            return opened.Problem!.Length > 0;
        }

        using (catalog)
        {
            List<CatalogEntry> entries = [];
            _ = catalog.Walk(entries.Add);
            foreach (CatalogEntry entry in entries)
            {
                _ = catalog.ReadObjects(entry, []);
                _ = catalog.Find(entry.Path, out _);
            }

            CatalogCursor cursor = catalog.Scan();
            while (cursor.MoveNext() is null && cursor.Current is not null)
            {
                _ = cursor.ReadPath(out _);
            }
        }

        return true;
    }

    private static string? Walk(Catalog catalog)
    {
        using (catalog)
        {
            return catalog.Walk(_ => { });
        }
    }

    /// <summary>The root catalog of a real repository, changed by SQL.</summary>
    private static async Task<byte[]> Altered(string sql)
    {
        Fixture fixture = Fixture.Load("tiny.example.org");
        using var directory = new TemporaryDirectory();
        string path = Path.Combine(directory.Path, "catalog.db");
        await File.WriteAllBytesAsync(path, fixture.Content(fixture.Manifest.RootCatalog, isStoredPlain: false));
        await using (var connection = new SqliteConnection($"Data Source={path};Pooling=False;Foreign Keys=False"))
        {
            await connection.OpenAsync();
            await using SqliteCommand command = connection.CreateCommand();
            command.CommandText = sql;
            await command.ExecuteNonQueryAsync();
        }

        return await File.ReadAllBytesAsync(path);
    }
}
