using System.Globalization;
using Breakwater.CacheStore;
using Breakwater.Repositories;
using Breakwater.Repositories.Writing;
using Breakwater.TestSupport;
using CsCheck;

namespace Breakwater.Proxy.Tests.Repositories.Writing;

/// <summary>Catalogs, histories and reflogs written here against those of a real server, and against our own strict reader.</summary>
public sealed class CatalogWriterTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    private static readonly Gen<byte[]> s_name = Gen.Byte[1, 255].Where(b => b != (byte)'/').Array[1, 255];

    private static readonly Gen<CatalogRow> s_child = Gen.Select(
        s_name, Gen.Int[0, 4], Gen.Long[0, 1L << 50], Gen.UInt, Gen.Long[-(1L << 40), 1L << 40], Gen.UInt,
        Gen.Byte.Array[1, 4000], Gen.Byte.Array[0, 100], ChildOf);

    public static IEnumerable<object[]> Fixtures => Fixture.All;

    [Theory]
    [MemberData(nameof(Fixtures))]
    public async Task Schema_OfEveryDatabase_IsThatOfARealServer(string name)
    {
        Fixture fixture = Fixture.Load(name);
        using var directory = new TemporaryDirectory();
        string catalog = directory.Combine("c");
        using (var writer = new CatalogWriter(catalog, HeadOf([])))
        {
            writer.Complete(default, default);
        }

        string history = directory.Combine("h");
        HistoryWriter.Write(history, Fqrn.Parse(name), null, []);
        string reflog = directory.Combine("r");
        ReflogWriter.Write(reflog, Fqrn.Parse(name), []);

        Assert.Equal(WrittenDatabase.Schema(fixture.Content(fixture.Manifest.RootCatalog, false)), WrittenDatabase.Schema(catalog));
        Assert.Equal(WrittenDatabase.Schema(fixture.Content(fixture.Manifest.History!.Value, false)), WrittenDatabase.Schema(history));
        Assert.Equal(WrittenDatabase.Schema(FixtureRepository.Load(name).Files[".cvmfsreflog"]), WrittenDatabase.Schema(reflog));
        foreach (string file in (string[])[catalog, history])
        {
            byte[] header = (await File.ReadAllBytesAsync(file))[..100];
            Assert.Equal((1, 1), (header[18], header[19])); // no write-ahead log
        }
    }

    /// <summary>Our sums over a real server's rows are the sums that it wrote.</summary>
    [Theory]
    [MemberData(nameof(Fixtures))]
    public async Task Counters_OverTheRowsOfARealServer_AreItsStatistics(string name)
    {
        Fixture fixture = Fixture.Load(name);
        int catalogs = 0;
        Assert.Null(await new CatalogTree(fixture.Manifest.RootCatalog, fixture.OpenCatalog).WalkAsync((catalog, key) =>
        {
            CatalogCounters sum = default;
            foreach (object?[] row in WrittenDatabase.Query(
                fixture.Content(key, false),
                "SELECT flags, size, xattr, (SELECT count(*) FROM chunks k WHERE k.md5path_1=c.md5path_1 AND "
                    + "k.md5path_2=c.md5path_2) FROM catalog c"))
            {
                sum += CatalogCounters.Of(RootOf([]) with
                {
                    Flags = (CatalogFlags)((long)row[0]! & ~0x3f00),
                    SizeBytes = (long)row[1]!,
                    Xattrs = (byte[]?)row[2],
                }, (int)(long)row[3]!);
            }

            Assert.Null(catalog.ReadStatistics(out IReadOnlyDictionary<string, long> stated));
            Assert.All(sum.Rows(), counter => Assert.Equal((counter.Name, stated["self_" + counter.Name]), (counter.Name, counter.Value)));
            catalogs++;
            return null;
        }));
        Assert.True(catalogs > 1);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/cvm4/usr")]
    public void Catalog_AnyRows_AreReadAsWritten(string prefix) => s_child.List[0, 30].Sample(
        children =>
        {
            byte[] root = System.Text.Encoding.ASCII.GetBytes(prefix);
            List<CatalogRow> rows = [.. children.DistinctBy(child => Convert.ToHexString(child.Name.Span))
                .Select(child => child with { Key = KeyOf(root, child.Name), Parent = PathKey.Of(root) })];
            using var directory = new TemporaryDirectory();
            string file = directory.Combine("c");
            using (var writer = new CatalogWriter(file, HeadOf(root)))
            {
                writer.Add(RootOf(root));
                rows.ForEach(row => writer.Add(row));
                writer.Complete(default, default);
            }

            using Catalog catalog = Open(file);
            Assert.Equal((prefix, 7UL), (catalog.Prefix, catalog.Revision));
            int found = 0;
            Assert.Null(catalog.List(prefix, entry =>
            {
                found++;
                CatalogRow row = rows.Single(row => row.Key == entry.Key);
                Assert.Equal((row.Flags, row.SizeBytes), (entry.Flags, entry.SizeBytes));
                Assert.Equal(row.Digest.IsEmpty ? null : new ObjectKey(row.Digest.Span, DigestAlgorithm.Sha1, 0), entry.Object);
                Assert.Null(catalog.ReadAttributes(entry.Key, out CatalogAttributes? attributes));
                Assert.Equal(
                    (row.Mode, row.ModifiedAt, row.Uid, row.Gid, row.HardLinks),
                    (attributes!.Mode, attributes.ModifiedAt, attributes.Uid, attributes.Gid,
                        CatalogRow.LinksOf(attributes.LinkGroup, attributes.LinkCount)));
                Assert.Equal(row.LinkTarget.ToArray(), attributes.LinkTarget);
                Assert.Equal(row.Xattrs.IsEmpty ? null : row.Xattrs.ToArray(), attributes.Xattrs);
            }));
            Assert.Equal(rows.Count, found);
            const string Wrong = "SELECT count(*) FROM catalog WHERE symlink IS NULL OR length(hash)=0 OR length(xattr)=0";
            Assert.Equal([[0L]], WrittenDatabase.Query(file, Wrong));
        },
        iter: 30);

    [Fact]
    public void Catalog_ChunksAndNestedOnes_AreReadAsWritten()
    {
        using var directory = new TemporaryDirectory();
        string file = directory.Combine("c");
        byte[] digest = new byte[20];
        PathKey big = PathKey.Of("/big");
        var nested = new ObjectKey(digest, DigestAlgorithm.Sha1, ObjectKind.Catalog);
        using (var writer = new CatalogWriter(file, HeadOf([])))
        {
            writer.Add(RootOf([]));
            writer.Add(ChildOf("big"u8.ToArray(), 1, 30, 0, 0, 0, [], []) with
            {
                Key = big,
                Parent = PathKey.Of(""),
                Flags = CatalogFlags.File | CatalogFlags.Chunked,
                Digest = default,
            });
            writer.AddChunk(big, 0, 10, digest);
            writer.AddChunk(big, 10, 20, digest);
            writer.AddNested("/n"u8, nested, 4096);
            writer.Complete(new CatalogCounters { Regular = 1 }, new CatalogCounters { Regular = 2 });
        }

        using Catalog catalog = Open(file);
        Assert.Equal([new NestedCatalog("/n", nested, 4096)], catalog.Nested);
        Assert.Null(catalog.Find("/big", out CatalogEntry? entry));
        List<CatalogChunk> chunks = [];
        Assert.Null(catalog.ReadChunks(entry!, chunks));
        Assert.Equal([(0L, 10L), (10L, 20L)], chunks.Select(chunk => (chunk.Offset, chunk.SizeBytes)));
        Assert.Null(catalog.ReadStatistics(out IReadOnlyDictionary<string, long> statistics));
        Assert.Equal((24, 1, 2), (statistics.Count, statistics["self_regular"], statistics["subtree_regular"]));
    }

    [Fact]
    public async Task History_AnyTags_AreReadAsWritten()
    {
        using var directory = new TemporaryDirectory();
        string file = directory.Combine("h");
        Tag[] tags = [.. Enumerable.Range(0, 50).Select(i => new Tag(
            string.Create(CultureInfo.InvariantCulture, $"v{i}"),
            new ObjectKey(System.Security.Cryptography.SHA1.HashData([(byte)i]), DigestAlgorithm.Sha1, ObjectKind.Catalog),
            (ulong)i,
            s_now.AddSeconds(i))
        {
            Description = i % 2 == 0 ? "" : "ünicode",
            CatalogBytes = i * 4096,
        })];
        HistoryWriter.Write(file, Fqrn.Parse("os.lab.example"), null, tags);
        History read = (await History.ReadAsync(WrittenDatabase.Wire(file), CatalogLimits.Default)).Value!;
        Assert.Equal(tags, read.Tags.OrderBy(tag => tag.Revision));
        Assert.Equal([["fqrn", "os.lab.example"]], WrittenDatabase.Query(file, "SELECT * FROM properties WHERE key='fqrn'"));
        Assert.Equal([["", null, 0L]], WrittenDatabase.Query(file, "SELECT * FROM branches"));
    }

    [Fact]
    public void Reflog_EveryKind_HasItsType()
    {
        using var directory = new TemporaryDirectory();
        string file = directory.Combine("r");
        ReflogWriter.Write(file, Fqrn.Parse("os.lab.example"), "CXHM".Select((kind, i) => KeyValuePair.Create(
            new ObjectKey(System.Security.Cryptography.SHA1.HashData([(byte)i]), DigestAlgorithm.Sha1, (ObjectKind)kind), s_now)));
        Assert.Equal([0L, 1L, 2L, 3L], WrittenDatabase.Query(file, "SELECT type FROM refs ORDER BY type").Select(row => row[0]));
    }

    private static Catalog Open(string file)
    {
        Parsed<Catalog> opened = Catalog.OpenAsync(WrittenDatabase.Wire(file), CatalogLimits.Default).GetAwaiter().GetResult();
        Assert.True(opened.TryGet(out Catalog? catalog, out string? problem), problem);
        return catalog;
    }

    private static CatalogHead HeadOf(byte[] prefix) =>
        new() { Prefix = prefix, Revision = 7, Ttl = TimeSpan.FromMinutes(4), ModifiedAt = s_now };

    private static PathKey KeyOf(byte[] directory, ReadOnlyMemory<byte> name) => PathKey.Of([.. directory, (byte)'/', .. name.Span]);

    private static CatalogRow RootOf(byte[] prefix) => new()
    {
        Key = PathKey.Of(prefix),
        Parent = default,
        Name = default,
        Flags = CatalogFlags.Directory,
        SizeBytes = 4096,
        Mode = 0x41ed,
        ModifiedAt = 0,
        Uid = 0,
        Gid = 0,
        HardLinks = 2,
    };

    private static CatalogRow ChildOf(
        byte[] name, int what, long size, uint permissions, long time, uint owner, byte[] target, byte[] xattrs) => new()
        {
            Key = default,
            Parent = default,
            Name = name,
            Flags = what switch
            {
                0 => CatalogFlags.Directory,
                1 => CatalogFlags.File,
                2 => CatalogFlags.File | CatalogFlags.Link,
                3 => CatalogFlags.File | CatalogFlags.Special,
                _ => CatalogFlags.Directory | CatalogFlags.NestedMountpoint,
            },
            SizeBytes = size,
            Mode = permissions & 0xffff,
            ModifiedAt = time,
            Uid = owner,
            Gid = owner ^ 1,
            HardLinks = CatalogRow.LinksOf(permissions >> 16, 1 + (owner >> 24)),
            Digest = what == 1 ? System.Security.Cryptography.SHA1.HashData(name) : default(ReadOnlyMemory<byte>),
            LinkTarget = what == 2 ? target : [],
            Xattrs = xattrs,
        };
}
