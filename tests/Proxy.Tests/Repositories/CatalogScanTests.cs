using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Repositories;

/// <summary>Catalogs row by row, object by object, and catalog by catalog.</summary>
public sealed class CatalogScanTests
{
    private static readonly ObjectKey s_file = new(SmallCatalog.Digest, DigestAlgorithm.Sha1, ObjectKind.Plain);
    private static readonly ObjectKey s_chunk = new(SmallCatalog.Digest, DigestAlgorithm.Sha1, ObjectKind.Chunk);

    [Fact]
    public async Task Scan_OfEveryRow_IsInTheOrderOfTheKeysWithItsPath()
    {
        using Catalog catalog = await SmallCatalog.OpenAsync(SmallCatalog.Of());
        CatalogCursor cursor = catalog.Scan();
        Assert.Null(cursor.ReadPath(out string? path));
        Assert.Null(path);
        List<(PathKey Key, string? Path)> rows = [];
        for (string? problem = cursor.MoveNext(); cursor.Current is { } entry; problem = cursor.MoveNext())
        {
            Assert.Null(problem);
            Assert.Null(cursor.ReadPath(out path));
            rows.Add((entry.Key, path));
        }

        Assert.Equal(rows.Order(), rows);
        Assert.Equal(["", "/c", "/d", "/d/f", "/l", "/n"], rows.Select(row => row.Path).Order(StringComparer.Ordinal));
        Assert.Null(cursor.ReadPath(out path));
        Assert.Null(path);
    }

    [Theory]
    [InlineData("UPDATE catalog SET size=-1 WHERE name='f'")]
    [InlineData("CREATE TABLE x AS SELECT * FROM catalog; DROP TABLE catalog; ALTER TABLE x RENAME TO catalog; "
        + "INSERT INTO catalog SELECT * FROM catalog WHERE name='f'")]
    public async Task Scan_OfAMalformedRowOrOfTwoWithOneKey_SaysSo(string sql)
    {
        using Catalog catalog = await SmallCatalog.OpenAsync(SmallCatalog.Of(sql));
        CatalogCursor cursor = catalog.Scan();
        string? problem = null;
        for (int i = 0; i < 7 && problem is null; i++)
        {
            problem = cursor.MoveNext();
        }

        Assert.Equal("Catalog: a row is malformed, or two have the same key.", problem);
    }

    [Theory]
    [InlineData("", "/d/f", "/d/f")]
    [InlineData("", "/d", "/d")]
    [InlineData("", "", "")]
    [InlineData("", "/absent", null)]
    [InlineData("DELETE FROM catalog WHERE name='d'", "/d/f", null)]
    [InlineData("UPDATE catalog SET parent_1=md5path_1, parent_2=md5path_2 WHERE name='f'", "/d/f", null)] // a ring
    [InlineData("UPDATE catalog SET name=substr(hex(zeroblob(200)),1,255) WHERE name='f'", "/d/f", "/d/0")]
    [InlineData("UPDATE catalog SET name=substr(hex(zeroblob(200)),1,256) WHERE name='f'", "/d/f", null)]
    public async Task PathOf_AKey_ClimbsToTheRootOrEnds(string sql, string path, string? expected)
    {
        using Catalog catalog = await SmallCatalog.OpenAsync(SmallCatalog.Of(sql));
        for (int i = 0; i < 2; i++)
        {
            Assert.Null(catalog.PathOf(PathKey.Of(path), out string? found));
            Assert.Equal(expected, found is { Length: > 9 } ? found[..4] : found);
        }
    }

    [Fact]
    public async Task PathOf_InANestedCatalog_BeginsWithItsPrefix()
    {
        using Catalog catalog = await SmallCatalog.OpenAsync(SmallCatalog.Below("/p/q", "f"));
        Assert.Null(catalog.PathOf(PathKey.Of("/p/q/f"), out string? path));
        Assert.Equal("/p/q/f", path);
        Assert.Null(catalog.PathOf(PathKey.Of("/p/q"), out path));
        Assert.Equal("/p/q", path);
    }

    [Theory]
    [InlineData("", int.MaxValue, 3)]
    [InlineData("", 1, 3)]
    [InlineData("", 0, 1)]
    [InlineData("UPDATE catalog SET hash=zeroblob(20) WHERE name='c'", int.MaxValue, 4)] // both whole and in chunks
    [InlineData("UPDATE catalog SET flags=flags|128 WHERE name='c'", int.MaxValue, 1)] // external
    [InlineData("UPDATE chunks SET hash=zeroblob(19) WHERE offset=0", int.MaxValue, 2)]
    [InlineData("UPDATE catalog SET hash=zeroblob(20) WHERE name='l'", int.MaxValue, 3)] // a link
    [InlineData("UPDATE catalog SET hash=NULL WHERE name='f'", int.MaxValue, 2)]
    public async Task Objects_OfACatalog_AreThoseOfItsFiles(string sql, int maxChunked, int expected)
    {
        using Catalog catalog = await SmallCatalog.OpenAsync(SmallCatalog.Of(sql));
        List<(ObjectKey Key, long Size)> objects = [];
        Assert.Null(CatalogObjects.Scan<long>(
            catalog,
            (_, entry) => (null, entry.SizeBytes),
            (key, size) =>
            {
                objects.Add((key, size));
                return true;
            },
            maxChunked));
        Assert.Equal(expected, objects.Count);
        Assert.All(objects.Where(o => o.Key.Kind == ObjectKind.Chunk), o => Assert.Equal(30, o.Size));
        if (maxChunked == int.MaxValue)
        {
            List<ObjectKey> all = [];
            Assert.Null(CatalogObjects.Scan(catalog, all.Add));
            Assert.Equal(objects.Select(o => o.Key), all);
        }
    }

    [Fact]
    public async Task Objects_OfAlgorithmsOfTheirFiles_HaveThem()
    {
        using Catalog catalog = await SmallCatalog.OpenAsync(SmallCatalog.Of("UPDATE catalog SET flags=flags|256 WHERE name='c'"));
        List<ObjectKey> all = [];
        Assert.Null(CatalogObjects.Scan(catalog, all.Add));
        var chunk = new ObjectKey(SmallCatalog.Digest, DigestAlgorithm.RipeMd160, ObjectKind.Chunk);
        Assert.Equal([s_file, chunk, chunk], all);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    public async Task Objects_OnceAVisitHasEnough_AreNotVisitedOn(int enough, int expected)
    {
        using Catalog catalog = await SmallCatalog.OpenAsync(SmallCatalog.Of());
        List<ObjectKey> visited = [];
        Assert.Null(CatalogObjects.Scan<bool>(
            catalog,
            (_, _) => (null, true),
            (key, _) =>
            {
                visited.Add(key);
                return visited.Count < enough;
            }));
        Assert.Equal(new[] { s_file, s_chunk }.Take(expected), visited);
    }

    [Fact]
    public async Task Objects_WhereAFileIsLeftOutOrDescribedByAProblem_AreTheOthers()
    {
        using Catalog catalog = await SmallCatalog.OpenAsync(SmallCatalog.Of());
        List<ObjectKey> visited = [];
        bool Visit(ObjectKey key, bool _)
        {
            visited.Add(key);
            return true;
        }

        Assert.Null(CatalogObjects.Scan<bool>(catalog, (_, entry) => (null, entry.IsChunked ? null : true), Visit));
        Assert.Equal([s_file], visited);
        visited.Clear();
        Assert.Equal("no", CatalogObjects.Scan<bool>(catalog, (_, _) => ("no", true), Visit));
        Assert.Empty(visited);
    }

    [Theory]
    [InlineData(63, null)]
    [InlineData(64, "is nested more than 64 deep.")]
    public async Task Tree_OfCatalogsInEachOther_IsWalkedTo64(int nested, string? expected)
    {
        byte[] Digest(int level) => [.. new byte[19], (byte)level];
        ObjectKey Key(int level) => new(Digest(level), DigestAlgorithm.Sha1, ObjectKind.Catalog);
        string Path(int level) => string.Concat(Enumerable.Repeat("/d", level));
        int visits = 0;
        int open = 0;
        var tree = new CatalogTree(Key(0), async (key, cancel) =>
        {
            open++;
            byte[] digest = new byte[20];
            key.CopyDigestTo(digest);
            int level = digest[19];
            return await Catalog.OpenAsync(new MemoryStream(SmallCatalog.Below(Path(level))), CatalogLimits.Default, cancel);
        });
        string? problem = await tree.DescendAsync((catalog, key) =>
        {
            int level = visits++;
            Assert.Equal((Key(level), Path(level)), (key, catalog.Prefix));
            return (null, level < nested ? [new NestedCatalog(Path(level + 1), Key(level + 1), 0)] : []);
        });
        Assert.Equal((64, 64), (visits, open));
        if (expected is null)
        {
            Assert.Null(problem);
        }
        else
        {
            Assert.EndsWith(expected, problem, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Tree_OfACatalogThatIsNotWhereItShouldBe_IsNotWalked()
    {
        var tree = new CatalogTree(
            SmallCatalog.Nested,
            (_, cancel) => Catalog.OpenAsync(new MemoryStream(SmallCatalog.Below("/elsewhere")), CatalogLimits.Default, cancel));
        Assert.Equal(
            $"Catalog: {SmallCatalog.Nested} begins at '/elsewhere', not at ''.",
            await tree.WalkAsync((_, _) => throw new InvalidOperationException("It is not visited.")));
    }

    [Fact]
    public async Task Tree_OnceAVisitHasAProblem_IsNotWalkedOn()
    {
        int opened = 0;
        var tree = new CatalogTree(SmallCatalog.Nested, (_, cancel) =>
        {
            opened++;
            return Catalog.OpenAsync(new MemoryStream(SmallCatalog.Of()), CatalogLimits.Default, cancel);
        });
        Assert.Equal("enough", await tree.WalkAsync((_, _) => "enough"));
        Assert.Equal(1, opened);
        using CancellationTokenSource cancelled = new();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => tree.WalkAsync((_, _) => null, cancelled.Token));
        Assert.Equal(1, opened);
    }
}
