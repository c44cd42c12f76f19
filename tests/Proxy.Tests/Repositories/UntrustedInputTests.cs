using System.IO.Compression;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using CsCheck;
using Microsoft.Data.Sqlite;

namespace Breakwater.Proxy.Tests.Repositories;

/// <summary>
/// Whatever the bytes are, a reader ends with a value or a sentence. The seeds of failures are printed; sizes are bounded for CI.
/// </summary>
public sealed class UntrustedInputTests
{
    private const int FuzzRuns = 1500;
    private static readonly DateTimeOffset Now = new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Manifest_AnyBytes_ParsesOrSaysWhy() =>
        Gen.OneOf(Gen.Byte.Array[0, 400], Signed(Gen.Char[" \n-CSNDRXHabcdef0123456789"].Array[0, 300].Select(text => new string(text))))
            .Sample(bytes => Ends(Manifest.Parse(bytes)), iter: 20_000);

    [Fact]
    public void Whitelist_AnyBytes_ParsesOrSaysWhy() =>
        Gen.OneOf(Gen.Byte.Array[0, 400], Signed(Gen.Char["\n-ENVW:# 0123456789ABCDEF"].Array[0, 300].Select(text => new string(text))))
            .Sample(bytes => Ends(Whitelist.Parse(bytes)), iter: 20_000);

    [Fact]
    public void Certificate_AnyBytes_ParsesOrSaysWhy() =>
        Gen.Byte.Array[0, 300].Sample(
            bytes =>
            {
                Ends(Certificate.Parse(bytes));
                Parsed<Certificate> inside = Certificate.Parse(
                    Zlib([.. "-----BEGIN CERTIFICATE-----\n"u8, .. Encoding.ASCII.GetBytes(Convert.ToBase64String(bytes)),
                    .. "\n-----END CERTIFICATE-----\n"u8]));
                return Ends(inside) && (inside.Value is null || Ends(inside.Value.ReadKey()));
            },
            iter: 2_000);

    [Fact]
    public void Manifest_WellFormed_RoundTrips() =>
        Gen.Select(Gen.ULong, Gen.Byte.Array[20], Gen.Enum<DigestAlgorithm>().Where(a => a != DigestAlgorithm.Named),
        Gen.UInt[0, 1_000_000])
        .Sample((revision, digest, algorithm, ttl) =>
        {
            var key = new ObjectKey(digest, algorithm, ObjectKind.Catalog);
            byte[] bytes =
                Sign($"C{key.ToString()[..^1]}\nRd41d8cd98f00b204e9800998ecf8427e\nD{ttl}\nS{revision}\nNa.b\nZunknown\n", algorithm);
            Manifest manifest = Manifest.Parse(bytes).Value!;
            Assert.Equal((revision, key, ttl), (manifest.Revision, manifest.RootCatalog, (uint)manifest.Ttl.TotalSeconds));
            Assert.Null(manifest.History);
        });

    [Fact]
    public void Ratchet_AnySequence_NeverGoesBackUnlessAllowed() =>
        Gen.Select(Gen.ULong[0, 20], Gen.Bool).Array[1, 50].Sample(offers =>
        {
            ulong? highest = null;
            foreach ((ulong offered, bool isAllowed) in offers)
            {
                RevisionStep step = RevisionRatchet.Decide(highest, offered, isAllowed ? 5UL : null);
                if (step != RevisionStep.Back)
                {
                    Assert.True(highest is null || offered >= highest || (isAllowed && offered >= 5));
                    highest = offered;
                }
                else
                {
                    Assert.True(offered < highest && !(isAllowed && offered >= 5));
                }
            }
        });

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
        return Zlib([.. plain, .. new byte[zeros]]);
    }

    private static async Task<byte[]> Inflated(byte[] wire)
    {
        using var plain = new MemoryStream();
        await using var zlib = new ZLibStream(new MemoryStream(wire), CompressionMode.Decompress);
        await zlib.CopyToAsync(plain);
        return plain.ToArray();
    }

    [Fact]
    public async Task Trust_DocumentsWithRandomDamage_AreRefused()
    {
        Fixture fixture = Fixture.Load("rmd.example.org");
        RepositoryTrust trust = new(fixture.Keys());
        await Fuzz(fixture.ManifestBytes,
            bytes => Refused(trust.JudgeManifest(fixture.Name, bytes, fixture.WhitelistBytes, fixture.CertificateBytes, Now, null)), 400);
        await Fuzz(fixture.WhitelistBytes,
            bytes => Refused(trust.JudgeManifest(fixture.Name, fixture.ManifestBytes, bytes, fixture.CertificateBytes, Now, null)), 400);
        await Fuzz(fixture.CertificateBytes,
            bytes => Refused(trust.JudgeManifest(fixture.Name, fixture.ManifestBytes, fixture.WhitelistBytes, bytes, Now, null)), 400);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Catalog_RandomDamage_EndsWithEntriesOrASentence(bool damageInflated)
    {
        Fixture fixture = Fixture.Load("tiny.example.org");
        byte[] wire = fixture.Wire(fixture.Manifest.RootCatalog);
        byte[] original = damageInflated ? fixture.Content(fixture.Manifest.RootCatalog, isStoredPlain: false) : wire;

        await Fuzz(original, async bytes => await ReadAll(bytes), FuzzRuns);
    }

    [Fact]
    public async Task History_RandomDamage_EndsWithTagsOrASentence()
    {
        Fixture fixture = Fixture.Load("tiny.example.org");
        byte[] original = fixture.Content(fixture.Manifest.History!.Value, isStoredPlain: false);

        await Fuzz(original, async bytes => Ends(await History.ReadAsync(new MemoryStream(bytes), CatalogLimits.Default)), FuzzRuns);
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
        byte[] bomb = Zlib(new byte[8 << 20]);
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
        + "VALUES('/x','0000000000000000000000000000000000000000',1),('/y','0000000000000000000000000000000000000000',1),(x'2f78','0000000000000000000000000000000000000000',1)")]
    [InlineData("DROP TABLE nested_catalogs; CREATE TABLE nested_catalogs (path COLLATE NOCASE, sha1, size); INSERT INTO nested_catalogs "
        + "VALUES('/x','0000000000000000000000000000000000000000',1),('/X','0000000000000000000000000000000000000000',1),('/x','0000000000000000000000000000000000000000',1)")]
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

    /// <summary>Random damage, the same in every run: bytes changed, cut out, doubled, the end cut off.</summary>
    private static async Task Fuzz(byte[] original, Func<byte[], Task<bool>> read, int runs)
    {
        for (int seed = 0; seed < runs; seed++)
        {
            var random = new Random(seed);
            byte[] damaged = [.. original];
            for (int change = random.Next(1, 8); change > 0; change--)
            {
                int at = random.Next(damaged.Length);
                int length = Math.Min(random.Next(1, 16), damaged.Length - at);
                switch (random.Next(4))
                {
                    case 0:
                        damaged[at] ^= (byte)(1 << random.Next(8));
                        break;
                    case 1:
                        random.NextBytes(damaged.AsSpan(at, length));
                        break;
                    case 2:
                        damaged.AsSpan(at, length).Fill((byte)(random.Next(2) * 255));
                        break;
                    default:
                        damaged = [.. damaged[..at], .. damaged[(at + length)..], 0];
                        break;
                }
            }

            if (!damaged.AsSpan().SequenceEqual(original))
            {
                Assert.True(await read(damaged), $"seed {seed}");
            }
        }
    }

    private static Task<bool> Refused(TrustVerdict verdict) =>
        Task.FromResult(verdict.Outcome == TrustOutcome.Refused && verdict.Explanation.Length > 0);

    private static bool Ends<T>(Parsed<T> parsed)
        where T : class => parsed.Value is null ? parsed.Problem is { Length: > 0 } : parsed.Problem is null;

    private static Gen<byte[]> Signed(Gen<string> text) => text.Select(lines => Sign(lines + "\n", DigestAlgorithm.Sha1));

    private static byte[] Sign(string text, DigestAlgorithm algorithm)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text);
        var hash = new ObjectKey(ObjectHasher.Hash(algorithm, bytes), algorithm, 0);
        return [.. bytes, .. Encoding.ASCII.GetBytes($"--\n{hash}\nsignature")];
    }

    private static byte[] Zlib(byte[] bytes)
    {
        using var wire = new MemoryStream();
        using (var zlib = new ZLibStream(wire, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(bytes);
        }

        return wire.ToArray();
    }
}
