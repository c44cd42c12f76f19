using System.Security.Cryptography;
using Breakwater.CacheStore;
using Breakwater.Repositories;
using Breakwater.Repositories.Writing;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Repositories;

/// <summary>How large a database may be, and what a row of tags or of the reflog may have.</summary>
public sealed class DatabaseRulesTests
{
    private static readonly Fqrn s_fqrn = Fqrn.Parse("os.lab.example");
    private static readonly DateTimeOffset s_time = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    [Theory]
    [InlineData(0, true)]
    [InlineData(-1, false)]
    public async Task Open_OfAsManyBytesAsAllowed_IsTakenOnTheWireAndInflated(int difference, bool isTaken)
    {
        byte[] plain = SmallCatalog.Of();
        byte[] wire = Packed.Zlib(plain);
        Parsed<Catalog> onWire = await Catalog.OpenAsync(
            new MemoryStream(wire), new CatalogLimits { MaxWireBytes = wire.Length + difference });
        Assert.Equal(
            isTaken ? null : $"Catalog: it has {wire.Length} bytes; {wire.Length - 1} are the most.", onWire.Problem);
        foreach (byte[] stored in (byte[][])[wire, plain])
        {
            Parsed<Catalog> inflated = await Catalog.OpenAsync(
                new MemoryStream(stored), new CatalogLimits { MaxInflatedBytes = plain.Length + difference });
            Assert.Equal(isTaken ? null : $"Catalog: it inflates to more than {plain.Length - 1} bytes.", inflated.Problem);
            inflated.Value?.Dispose();
        }

        onWire.Value?.Dispose();
    }

    /// <summary>So many times its own bytes, or four mebibytes from however few.</summary>
    [Theory]
    [InlineData(4 << 20, 1, true)]
    [InlineData((4 << 20) + 1, 1, false)]
    [InlineData(6 << 20, 0, true)]
    [InlineData(6 << 20, -1, false)]
    public async Task Open_OfWhatInflatesFar_IsTakenWithinTheMeasure(int bytes, int difference, bool isTaken)
    {
        byte[] plain = SmallCatalog.Of();
        Array.Resize(ref plain, bytes);
        byte[] wire = Packed.Zlib(plain);
        int measure = difference > 0 ? difference : ((plain.Length + wire.Length - 1) / wire.Length) + difference;
        CatalogLimits limits = new() { MaxInflation = measure };
        Parsed<Catalog> opened = await Catalog.OpenAsync(new MemoryStream(wire), limits);
        Assert.Equal(isTaken, opened.Value is not null);
        Assert.Equal(isTaken ? bytes : 0, limits.OpenBytes.Taken);
        opened.Value?.Dispose();
        opened.Value?.Dispose(); // gives nothing back twice
        Assert.Equal(0, limits.OpenBytes.Taken);
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(-1, "Catalog: it is shorter than its header says.")]
    [InlineData(1, null)]
    public async Task Open_OfAFileThatWasCut_IsRefused(int difference, string? expected)
    {
        foreach (string sql in (string[])["", "PRAGMA page_size=65536; VACUUM"])
        {
            byte[] plain = SmallCatalog.Of(sql);
            Assert.Equal(sql.Length > 0, plain[16] == 0 && plain[17] == 1);
            Array.Resize(ref plain, plain.Length + difference);
            Parsed<Catalog> opened = await Catalog.OpenAsync(new MemoryStream(plain), CatalogLimits.Default);
            Assert.Equal(expected, opened.Problem);
            opened.Value?.Dispose();
        }

        Assert.Equal(
            "Catalog: it is too short for a SQLite file.",
            (await Catalog.OpenAsync(new MemoryStream(SmallCatalog.Of()[..99]), CatalogLimits.Default)).Problem);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("UPDATE tags SET name=''", false)]
    [InlineData("UPDATE tags SET name=NULL", false)]
    [InlineData("UPDATE tags SET name=replace(hex(zeroblob(512)),'0','x')", true)]
    [InlineData("UPDATE tags SET name=replace(hex(zeroblob(512)),'0','x')||'x'", false)]
    [InlineData("UPDATE tags SET hash=hash||'C'", false)]
    [InlineData("UPDATE tags SET revision=0", true)]
    [InlineData("UPDATE tags SET revision=-1", false)]
    [InlineData("UPDATE tags SET timestamp=0", true)]
    [InlineData("UPDATE tags SET timestamp=-1", false)]
    [InlineData("UPDATE tags SET timestamp=68719476736", true)]
    [InlineData("UPDATE tags SET timestamp=68719476737", false)]
    public async Task History_OfATag_IsTakenOrMalformed(string sql, bool isTaken)
    {
        Parsed<History> read = await ReadHistoryAsync(sql);
        Assert.Equal(isTaken, read.Value?.Tags.Count == 1);
        if (!isTaken)
        {
            Assert.Matches("^History: the tag '.{0,1024}' is malformed\\.$", read.Problem);
        }
    }

    [Fact]
    public async Task History_OfALongDescriptionAndNoSize_HasAsMuchAsIsShown()
    {
        Parsed<History> read = await ReadHistoryAsync("UPDATE tags SET size=-1, description=replace(hex(zeroblob(600)),'0','x')");
        Tag tag = Assert.Single(read.Value!.Tags);
        Assert.Equal((0L, 1024), (tag.CatalogBytes, tag.Description.Length));
        read = await ReadHistoryAsync("UPDATE tags SET description=replace(hex(zeroblob(512)),'0','x')");
        tag = Assert.Single(read.Value!.Tags);
        Assert.Equal((4096L, 1024), (tag.CatalogBytes, tag.Description.Length));
        Assert.Equal("History: it has no ordinary table 'tags'.", (await ReadHistoryAsync("DROP TABLE tags")).Problem);
    }

    [Fact]
    public async Task FindAt_OfATime_IsTheNewestTagUntilThen()
    {
        Tag[] tags = [TagOf("a", 1, 10), TagOf("b", 3, 20), TagOf("c", 2, 20), TagOf("d", 4, 30)];
        byte[] bytes = SmallCatalog.Written(file => HistoryWriter.Write(file, s_fqrn, null, tags), "");
        History history = (await History.ReadAsync(new MemoryStream(bytes), CatalogLimits.Default)).Value!;
        Assert.Equal(
            [null, "a", "a", "b", "b", "d", "d"],
            new[] { 9, 10, 19, 20, 29, 30, 31 }.Select(seconds => history.FindAt(s_time.AddSeconds(seconds))?.Name));
        Assert.Equal(tags[2], history.Find("c"));
        Assert.Null(history.Find("C"));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("UPDATE refs SET type=-1", false)]
    [InlineData("UPDATE refs SET type=4", false)]
    [InlineData("UPDATE refs SET timestamp=-1", false)]
    [InlineData("UPDATE refs SET timestamp=0", true)]
    [InlineData("UPDATE refs SET timestamp=68719476736", true)]
    [InlineData("UPDATE refs SET timestamp=68719476737", false)]
    [InlineData("UPDATE refs SET hash='x'", false)]
    [InlineData("UPDATE refs SET hash=NULL", false)]
    public async Task Reflog_OfAReference_IsTakenOrMalformed(string sql, bool isTaken)
    {
        var key = new ObjectKey(SmallCatalog.Digest, DigestAlgorithm.Sha1, ObjectKind.MetaInfo);
        byte[] bytes = SmallCatalog.Written(file => ReflogWriter.Write(file, s_fqrn, [new(key, s_time)]), sql);
        Parsed<Reflog> read = await Reflog.ReadAsync(new MemoryStream(bytes), CatalogLimits.Default);
        Assert.Equal(isTaken ? null : "Reflog: a reference is malformed.", read.Problem);
        if (sql.Length == 0)
        {
            Assert.Equal([new KeyValuePair<ObjectKey, DateTimeOffset>(key, s_time)], read.Value!.References);
        }
    }

    [Fact]
    public async Task Reflog_OfEveryKind_HasItsObjects()
    {
        ObjectKind[] kinds = [ObjectKind.Catalog, ObjectKind.Certificate, ObjectKind.History, ObjectKind.MetaInfo];
        KeyValuePair<ObjectKey, DateTimeOffset>[] references = [.. kinds.Select((kind, i) => new KeyValuePair<ObjectKey, DateTimeOffset>(
            new ObjectKey(SHA1.HashData([(byte)i]), DigestAlgorithm.Sha1, kind), s_time.AddSeconds(i)))];
        byte[] bytes = SmallCatalog.Written(file => ReflogWriter.Write(file, s_fqrn, references), "");
        Reflog read = (await Reflog.ReadAsync(new MemoryStream(bytes), CatalogLimits.Default)).Value!;
        Assert.Equal(references, read.References);
        bytes = SmallCatalog.Written(file => ReflogWriter.Write(file, s_fqrn, references), "DROP TABLE refs");
        Assert.Equal(
            "Reflog: it has no ordinary table 'refs'.", (await Reflog.ReadAsync(new MemoryStream(bytes), CatalogLimits.Default)).Problem);
        Assert.Throws<ArgumentOutOfRangeException>(() => SmallCatalog.Written(
            file => ReflogWriter.Write(
                file, s_fqrn, [new(new ObjectKey(SmallCatalog.Digest, DigestAlgorithm.Sha1, ObjectKind.Plain), s_time)]), ""));
    }

    [Fact]
    public async Task Revise_OfARootCatalog_ChangesItsNumberAndNothingElse()
    {
        using var directory = new TemporaryDirectory();
        string file = directory.Combine("catalog");
        await File.WriteAllBytesAsync(file, SmallCatalog.Of("DELETE FROM properties WHERE key='previous_revision'"));
        CatalogReviser.Revise(file, 8, SmallCatalog.Nested, s_time);
        using Catalog catalog = await SmallCatalog.OpenAsync(await File.ReadAllBytesAsync(file));
        Assert.Equal(8UL, catalog.Revision);
        List<string> paths = [];
        Assert.Null(catalog.Walk(entry => paths.Add(entry.Path)));
        Assert.Equal(6, paths.Count);
        string digest = SmallCatalog.Nested.ToString()[..40];
        Assert.Equal(
            [["TTL", "240"], ["last_modified", "1800000000"], ["previous_revision", digest], ["revision", "8"], ["schema", "2.5"],
                ["schema_revision", "6"]],
            Writing.WrittenDatabase.Query(file, "SELECT key, value FROM properties ORDER BY key"));
    }

    [Fact]
    public void Write_WithWhatWasBefore_NamesIt()
    {
        using var directory = new TemporaryDirectory();
        string catalog = directory.Combine("catalog");
        using (var writer = new CatalogWriter(catalog, new CatalogHead
        {
            Prefix = "/p"u8.ToArray(),
            Revision = 9,
            Ttl = TimeSpan.FromMinutes(4),
            ModifiedAt = s_time,
            Previous = SmallCatalog.Nested,
        }))
        {
            writer.Complete(default, default);
        }

        string digest = SmallCatalog.Nested.ToString()[..40];
        Assert.Equal(
            [["last_modified", "1800000000"], ["previous_revision", digest], ["revision", "9"], ["root_prefix", "/p"], ["schema", "2.5"],
                ["schema_revision", "6"]],
            Writing.WrittenDatabase.Query(catalog, "SELECT key, value FROM properties ORDER BY key"));
        string history = directory.Combine("history");
        HistoryWriter.Write(history, s_fqrn, SmallCatalog.Nested, []);
        Assert.Equal(
            [["fqrn", "os.lab.example"], ["previous_revision", digest], ["schema", "1.0"], ["schema_revision", "3"]],
            Writing.WrittenDatabase.Query(history, "SELECT key, value FROM properties ORDER BY key"));
        string reflog = directory.Combine("reflog");
        ReflogWriter.Write(reflog, s_fqrn, []);
        Assert.Equal(
            [["fqrn", "os.lab.example"], ["schema", "1.0"], ["schema_revision", "0"]],
            Writing.WrittenDatabase.Query(reflog, "SELECT key, value FROM properties ORDER BY key"));
        Assert.Throws<IOException>(() => HistoryWriter.Write(history, s_fqrn, null, [])); // there is one
        Assert.Throws<IOException>(() => HistoryWriter.Write(directory.Combine("absent", "history"), s_fqrn, null, []));
    }

    [Theory]
    [InlineData(64, 64)]
    [InlineData(65, 64)]
    [InlineData(3, 3)]
    public void Certificate_OfALongName_HasAsMuchAsACertificateMay(int name, int expected)
    {
        using RSA key = RSA.Create(2048);
        string pem = CertificateDraft.Create(Fqrn.Parse(new string('a', name)), key, s_time);
        using var certificate = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(pem);
        Assert.Equal("CN=" + new string('a', expected), certificate.Subject);
        Assert.Equal((s_time.UtcDateTime, s_time.AddYears(30).UtcDateTime),
            (certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime()));
        Assert.EndsWith("-----END CERTIFICATE-----\n", pem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(117, true)]
    [InlineData(118, false)]
    public void SignsRaw_OfALongText_TakesWhatLeavesRoomForThePadding(int length, bool isTaken)
    {
        using RSA key = RSA.Create(1024);
        byte[] text = new byte[length];
        byte[] signature = Forger.RawRsa(key.ExportParameters(true), Forger.PadType1(text, 128));
        Assert.Equal(isTaken, RsaSignature.FromKey(key).Value!.SignsRaw(text, signature));
    }

    private static Tag TagOf(string name, ulong revision, int seconds) => new(
        name,
        new ObjectKey(SHA1.HashData([(byte)revision]), DigestAlgorithm.Sha1, ObjectKind.Catalog),
        revision,
        s_time.AddSeconds(seconds));

    private static async Task<Parsed<History>> ReadHistoryAsync(string sql)
    {
        byte[] bytes = SmallCatalog.Written(
            file => HistoryWriter.Write(file, s_fqrn, null, [TagOf("v1", 1, 0) with { CatalogBytes = 4096 }]), sql);
        return await History.ReadAsync(new MemoryStream(bytes), CatalogLimits.Default);
    }
}
