using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Repositories;

/// <summary>What a row of a catalog may have, on both sides of each limit.</summary>
public sealed class CatalogRulesTests
{
    [Theory]
    [InlineData("", null)]
    [InlineData("UPDATE catalog SET size=0 WHERE name='f'", null)]
    [InlineData("UPDATE catalog SET size=-1 WHERE name='f'", "Catalog: the entry of '/d/f' is malformed.")]
    [InlineData("UPDATE catalog SET flags=flags|512 WHERE name='f'", null)]
    [InlineData("UPDATE catalog SET flags=flags|768 WHERE name='f'", "Catalog: the entry of '/d/f' is malformed.")]
    [InlineData("UPDATE catalog SET flags=flags|2048 WHERE name='f'", null)]
    [InlineData("UPDATE catalog SET flags=flags|4096 WHERE name='f'", "Catalog: the entry of '/d/f' is malformed.")]
    [InlineData("UPDATE catalog SET flags=2147467268 WHERE name='f'", null)] // bits that nobody knows yet
    [InlineData("UPDATE catalog SET flags=2147483652 WHERE name='f'", "Catalog: the entry of '/d/f' is malformed.")]
    [InlineData("UPDATE catalog SET hash=NULL WHERE name='f'", null)]
    [InlineData("UPDATE catalog SET hash=x'' WHERE name='f'", null)]
    [InlineData("UPDATE catalog SET hash=zeroblob(20) WHERE name='f'", null)]
    [InlineData("UPDATE catalog SET hash=zeroblob(19) WHERE name='f'", "Catalog: the entry of '/d/f' is malformed.")]
    [InlineData("UPDATE catalog SET hash=zeroblob(21) WHERE name='f'", "Catalog: the entry of '/d/f' is malformed.")]
    [InlineData("UPDATE catalog SET name='g' WHERE name='f'", "Catalog: the key of '/d/g' is not that of its path.")]
    [InlineData("UPDATE catalog SET name='' WHERE name='f'", "Catalog: a name is empty, too long or has a slash.")]
    [InlineData("UPDATE catalog SET name='a/f' WHERE name='f'", "Catalog: a name is empty, too long or has a slash.")]
    [InlineData("UPDATE catalog SET name=CAST(x'6600' AS TEXT) WHERE name='f'", "Catalog: a name is empty, too long or has a slash.")]
    [InlineData("DELETE FROM catalog WHERE name=''", "Catalog: it has no entry for its own root ''.")]
    [InlineData("UPDATE catalog SET size=-1 WHERE name=''", "Catalog: the entry of '' is malformed.")]
    public async Task Walk_OverARow_TakesItOrSaysWhatIsWrong(string sql, string? expected)
    {
        using Catalog catalog = await SmallCatalog.OpenAsync(SmallCatalog.Of(sql));
        Assert.Equal(expected, catalog.Walk(_ => { }));
    }

    [Fact]
    public async Task Walk_OverACatalog_VisitsParentsFirstAndNothingBelowAnotherCatalog()
    {
        using Catalog catalog = await SmallCatalog.OpenAsync(SmallCatalog.Of());
        List<string> paths = [];
        Assert.Null(catalog.Walk(entry => paths.Add(entry.Path)));
        Assert.Equal("", paths[0]);
        Assert.True(paths.IndexOf("/d") < paths.IndexOf("/d/f"));
        Assert.Equal(["", "/c", "/d", "/d/f", "/l", "/n"], paths.Order(StringComparer.Ordinal));
        Assert.Null(catalog.Find("/d/f", out CatalogEntry? file));
        Assert.Equal((PathKey.Of("/d/f"), PathKey.Of("/d"), 4L, false), (file!.Key, file.Parent, file.SizeBytes, file.IsStoredPlain));
        Assert.Equal(new ObjectKey(SmallCatalog.Digest, DigestAlgorithm.Sha1, ObjectKind.Plain), file.Object);
        Assert.Null(catalog.Find("/l", out CatalogEntry? link));
        Assert.Equal(("t", true, false), (link!.LinkTarget, link.IsLink, link.HasObjects));
        Assert.Null(catalog.Find("/absent", out CatalogEntry? absent));
        Assert.Null(absent);
        List<string> below = [];
        Assert.Null(catalog.List("/d", entry => below.Add(entry.Path)));
        Assert.Equal(["/d/f"], below);
    }

    [Theory]
    [InlineData(6, null)]
    [InlineData(5, "Catalog: it has more than 5 rows.")]
    public async Task Walk_OverAsManyRowsAsAllowed_CountsTheRootToo(long maxRows, string? expected)
    {
        using Catalog catalog = await SmallCatalog.OpenAsync(SmallCatalog.Of(), new CatalogLimits { MaxRows = maxRows });
        Assert.Equal(expected, catalog.Walk(_ => { }));
    }

    [Theory]
    [InlineData(1, 255, true)]
    [InlineData(1, 256, false)]
    [InlineData(3839, 255, true)]
    [InlineData(3840, 255, false)]
    public async Task Walk_OverALongNameOrPath_TakesUpTo255And4096Bytes(int prefix, int name, bool isTaken)
    {
        using Catalog catalog =
            await SmallCatalog.OpenAsync(SmallCatalog.Below("/" + new string('p', prefix), new string('n', name)));
        Assert.Equal(isTaken ? null : "Catalog: a name is empty, too long or has a slash.", catalog.Walk(_ => { }));
    }

    [Fact]
    public async Task List_OfALongDirectory_TakesUpTo4096Bytes()
    {
        using Catalog catalog = await SmallCatalog.OpenAsync(SmallCatalog.Of());
        Assert.Null(catalog.ListNames(new byte[4096], (_, _) => { }));
        Assert.Equal("Catalog: a path is too long.", catalog.ListNames(new byte[4097], (_, _) => { }));
        Assert.Null(catalog.List(new string('a', 4096), _ => { }));
        Assert.Equal("Catalog: a path is too long.", catalog.List(new string('a', 4097), _ => { }));
        List<string> names = [];
        Assert.Null(catalog.ListNames([], (name, entry) => names.Add($"{PathText.Of(name)}={entry.Path}")));
        Assert.Equal(["d=/d", "c=/c", "l=/l", "n=/n"], names); // as they were written
    }

    [Theory]
    [InlineData("mode=65535", true)]
    [InlineData("mode=65536", false)]
    [InlineData("mode=-1", false)]
    [InlineData("uid=4294967295", true)]
    [InlineData("uid=4294967296", false)]
    [InlineData("uid=-1", false)]
    [InlineData("gid=4294967295", true)]
    [InlineData("gid=4294967296", false)]
    [InlineData("gid=-1", false)]
    [InlineData("hardlinks=9223372036854775807", true)]
    [InlineData("hardlinks=0", true)]
    [InlineData("hardlinks=-1", false)]
    [InlineData("symlink=replace(hex(zeroblob(2048)),'0','x')", true)]
    [InlineData("symlink=replace(hex(zeroblob(2048)),'0','x')||'x'", false)]
    [InlineData("xattr=zeroblob(130562)", true)]
    [InlineData("xattr=zeroblob(130563)", false)]
    [InlineData("xattr=NULL", true)]
    public async Task ReadAttributes_OfARow_TakesWhatAFileSystemCanShow(string change, bool isTaken)
    {
        using Catalog catalog = await SmallCatalog.OpenAsync(SmallCatalog.Of($"UPDATE catalog SET {change} WHERE name='f'"));
        Assert.Equal(
            isTaken ? null : "Catalog: an entry's attributes are malformed.",
            catalog.ReadAttributes(PathKey.Of("/d/f"), out CatalogAttributes? attributes));
        Assert.Equal(isTaken, attributes is not null);
        Assert.Null(catalog.ReadAttributes(PathKey.Of("/d"), out attributes)); // the next is read all the same
        Assert.NotNull(attributes);
        Assert.Null(catalog.ReadAttributes(PathKey.Of("/absent"), out attributes));
        Assert.Null(attributes);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("DELETE FROM chunks WHERE offset=0", "Catalog: the chunks of '/c' do not fit together.")]
    [InlineData("DELETE FROM chunks WHERE offset=10", "Catalog: the chunks of '/c' cover 10 of its 30 bytes.")]
    [InlineData("DELETE FROM chunks", "Catalog: the chunks of '/c' cover 0 of its 30 bytes.")]
    [InlineData("UPDATE chunks SET offset=9 WHERE offset=10", "Catalog: the chunks of '/c' do not fit together.")]
    [InlineData("UPDATE chunks SET offset=11 WHERE offset=10", "Catalog: the chunks of '/c' do not fit together.")]
    [InlineData("UPDATE chunks SET size=0 WHERE offset=10", "Catalog: the chunks of '/c' do not fit together.")]
    [InlineData("UPDATE chunks SET size=-1 WHERE offset=10", "Catalog: the chunks of '/c' do not fit together.")]
    [InlineData("UPDATE chunks SET size=21 WHERE offset=10", "Catalog: the chunks of '/c' cover 31 of its 30 bytes.")]
    [InlineData("UPDATE chunks SET hash=zeroblob(19)", "Catalog: the chunks of '/c' do not fit together.")]
    [InlineData("UPDATE catalog SET size=29 WHERE name='c'", "Catalog: the chunks of '/c' cover 30 of its 29 bytes.")]
    public async Task ReadChunks_OfAFile_CoverItOrItIsSaid(string sql, string? expected)
    {
        using Catalog catalog = await SmallCatalog.OpenAsync(SmallCatalog.Of(sql));
        Assert.Null(catalog.Find("/c", out CatalogEntry? entry));
        List<CatalogChunk> chunks = [];
        Assert.Equal(expected, catalog.ReadChunks(entry!, chunks));
        Assert.Equal(expected, catalog.ReadObjects(entry!, []));
        if (expected is null)
        {
            var key = new ObjectKey(SmallCatalog.Digest, DigestAlgorithm.Sha1, ObjectKind.Chunk);
            Assert.Equal([new CatalogChunk(0, 10, key), new CatalogChunk(10, 20, key)], chunks);
        }
    }

    [Theory]
    [InlineData("/d/f", "", 1)]
    [InlineData("/d/f", "UPDATE catalog SET size=0 WHERE name='f'", 1)]
    [InlineData("/d/f", "UPDATE catalog SET size=0,flags=2052 WHERE name='f'", 0)] // an empty file that was never uploaded
    [InlineData("/d/f", "UPDATE catalog SET flags=2052 WHERE name='f'", 1)]
    [InlineData("/d/f", "UPDATE catalog SET flags=132 WHERE name='f'", 0)] // external
    [InlineData("/d/f", "UPDATE catalog SET hash=NULL WHERE name='f'", 0)]
    [InlineData("/c", "", 2)]
    [InlineData("/l", "UPDATE catalog SET hash=zeroblob(20) WHERE name='l'", 0)]
    [InlineData("/d", "", 0)]
    public async Task ReadObjects_OfAnEntry_AreThoseOfItsBytes(string path, string sql, int expected)
    {
        using Catalog catalog = await SmallCatalog.OpenAsync(SmallCatalog.Of(sql));
        Assert.Null(catalog.Find(path, out CatalogEntry? entry));
        List<ObjectKey> objects = [];
        Assert.Null(catalog.ReadObjects(entry!, objects));
        Assert.Equal(expected, objects.Count);
    }

    [Theory]
    [InlineData("DELETE FROM properties WHERE key='revision'", 0UL)]
    [InlineData("UPDATE properties SET value='18446744073709551615' WHERE key='revision'", ulong.MaxValue)]
    [InlineData("UPDATE properties SET value='-1' WHERE key='revision'", 0UL)]
    [InlineData("UPDATE properties SET value='x' WHERE key='revision'", 0UL)]
    public async Task Open_OfACatalog_HasItsRevisionOrNone(string sql, ulong expected)
    {
        using Catalog catalog = await SmallCatalog.OpenAsync(SmallCatalog.Of(sql));
        Assert.Equal(expected, catalog.Revision);
        Assert.Equal("", catalog.Prefix);
    }

    [Theory]
    [InlineData("UPDATE properties SET value='2.0' WHERE key='schema'", null)]
    [InlineData("UPDATE properties SET value='3.0' WHERE key='schema'", "Catalog: its schema is '3.0'; 2.x is known here.")]
    [InlineData("UPDATE properties SET value='25' WHERE key='schema'", "Catalog: its schema is '25'; 2.x is known here.")]
    [InlineData("INSERT INTO properties VALUES('root_prefix','/')", "Catalog: its root '/' is not an absolute path.")]
    [InlineData("INSERT INTO properties VALUES('root_prefix','/a/')", "Catalog: its root '/a/' is not an absolute path.")]
    [InlineData("INSERT INTO properties VALUES('root_prefix','a')", "Catalog: its root 'a' is not an absolute path.")]
    [InlineData("INSERT INTO properties VALUES('root_prefix','/other')", "Catalog: the nested catalog at '/n' is malformed.")]
    [InlineData("UPDATE nested_catalogs SET path='/'", "Catalog: the nested catalog at '/' is malformed.")]
    [InlineData("UPDATE nested_catalogs SET path='n'", "Catalog: the nested catalog at 'n' is malformed.")]
    [InlineData("UPDATE nested_catalogs SET path='/n/'", "Catalog: the nested catalog at '/n/' is malformed.")]
    [InlineData("UPDATE nested_catalogs SET path='/'||replace(hex(zeroblob(2048)),'0','x')", "Catalog: the nested catalog at '/xx")]
    [InlineData("UPDATE nested_catalogs SET path='/x'||substr(replace(hex(zeroblob(2048)),'0','x'),3)", null)]
    [InlineData("UPDATE nested_catalogs SET sha1=sha1||'C'", "Catalog: the nested catalog at '/n' is malformed.")]
    [InlineData("UPDATE nested_catalogs SET sha1='xx'", "Catalog: the nested catalog at '/n' is malformed.")]
    [InlineData("UPDATE nested_catalogs SET sha1=NULL", "Catalog: the nested catalog at '/n' is malformed.")]
    [InlineData("DROP TABLE chunks", "Catalog: it has no ordinary table 'chunks'.")]
    public async Task Open_OfACatalog_TakesItOrSaysWhatIsWrong(string sql, string? expected)
    {
        Parsed<Catalog> opened = await Catalog.OpenAsync(new MemoryStream(SmallCatalog.Of(sql)), CatalogLimits.Default);
        using Catalog? catalog = opened.Value;
        if (expected is null)
        {
            Assert.Null(opened.Problem);
        }
        else
        {
            Assert.StartsWith(expected, opened.Problem, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("", 4096)]
    [InlineData("UPDATE nested_catalogs SET size=NULL", 0)]
    [InlineData("UPDATE nested_catalogs SET size=-5", 0)]
    public async Task Nested_OfACatalog_AreItsPathsKeysAndSizes(string sql, long expected)
    {
        using Catalog catalog = await SmallCatalog.OpenAsync(SmallCatalog.Of(sql));
        Assert.Equal([new NestedCatalog("/n", SmallCatalog.Nested, expected)], catalog.Nested);
    }
}
