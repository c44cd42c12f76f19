using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Seeding.Format;

namespace Breakwater.Proxy.Tests.Seeding;

public sealed class SeedFormatTests
{
    private const string Hash = "0123456789abcdef0123456789abcdef01234567";

    [Theory]
    [InlineData("breakwater-seed/index.json", SeedEntryKind.Index)]
    [InlineData("breakwater-seed/index.sha256", SeedEntryKind.Checksums)]
    [InlineData("breakwater-seed/inherited.txt", SeedEntryKind.Document)]
    [InlineData("breakwater-seed/keys/a.example.org.pub", SeedEntryKind.Document)]
    [InlineData("cvmfs/a.example.org/.cvmfspublished", SeedEntryKind.Document)]
    [InlineData("cvmfs/a.example.org/.cvmfswhitelist", SeedEntryKind.Document)]
    [InlineData("cvmfs/a.example.org/data/01/23456789abcdef0123456789abcdef01234567C", SeedEntryKind.Object)]
    [InlineData("cvmfs/a.example.org/data/01/23456789abcdef0123456789abcdef01234567-shake128P", SeedEntryKind.Object)]
    internal void Path_OfABundle_IsParsed(string name, SeedEntryKind kind)
    {
        Assert.True(SeedPath.TryParse(name, out SeedPath? path));
        Assert.Equal(kind, path.Value.Kind);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/etc/passwd")]
    [InlineData("../cvmfs/a.example.org/.cvmfspublished")]
    [InlineData("cvmfs/../.cvmfspublished")]
    [InlineData("cvmfs/a.example.org/../b.example.org/.cvmfspublished")]
    [InlineData("cvmfs/a.example.org/data/../../x")]
    [InlineData("cvmfs//a.example.org/.cvmfspublished")]
    [InlineData("cvmfs/nodots/.cvmfspublished")]
    [InlineData("cvmfs/a.example.org/.cvmfsreflog")]
    [InlineData("cvmfs/a.example.org/data/01/23456789ABCDEF0123456789abcdef01234567")]
    [InlineData("cvmfs/a.example.org/data/01/23456789abcdef0123456789abcdef01234567/x")]
    [InlineData("breakwater-seed/keys/../x.pub")]
    [InlineData("breakwater-seed/keys/.pub")]
    public void Path_OfAnythingElse_IsNone(string name) => Assert.False(SeedPath.TryParse(name, out _));

    [Fact]
    public async Task Header_OfTheWriter_IsReadBack()
    {
        ObjectKey key = ObjectKey.Parse(Hash + "-shake128P");
        string name = SeedPath.OfObject(new string('a', 50) + ".example", key);
        using var tar = new MemoryStream();
        await using (var writer = new SeedWriter(tar))
        {
            await writer.WriteAsync(name, new MemoryStream(new byte[700]), default);
            await writer.WriteLinkAsync(SeedPath.OfObject("b.example.org", key), "cvmfs/x", default);
        }

        TarHeader file = TarHeader.Read(tar.ToArray().AsSpan(0, 512), out string? problem);
        Assert.Null(problem);
        Assert.Equal((name, 700, null), (file.Name, file.SizeBytes, file.LinkTarget));
        TarHeader link = TarHeader.Read(tar.ToArray().AsSpan(512 + 1024, 512), out problem);
        Assert.Null(problem);
        Assert.Equal("cvmfs/x", link.LinkTarget);
        Assert.Equal(512 + 1024 + 512 + 1024, tar.Length);
    }

    [Fact]
    public async Task Header_AnyBitFlipped_IsRefused()
    {
        using var tar = new MemoryStream();
        await using (var writer = new SeedWriter(tar))
        {
            await writer.WriteAsync("cvmfs/a.example.org/.cvmfspublished", new MemoryStream(new byte[3]), default);
        }

        byte[] header = tar.ToArray()[..512];
        for (int bit = 0; bit < 512 * 8; bit++)
        {
            byte[] flipped = [.. header];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            TarHeader.Read(flipped, out string? problem);
            Assert.NotNull(problem);
        }
    }

    [Fact]
    public void Index_AnyByteOfAField_IsNamed()
    {
        SeedIndex index = Sample();
        byte[] bytes = index.ToBytes();
        byte[] sums = IndexChecksums.Of(bytes);
        Assert.Equal(bytes, SeedIndex.Read(bytes, 0, sums, 0).ToBytes());
        int at = Encoding.UTF8.GetString(bytes).IndexOf("777", StringComparison.Ordinal);
        bytes[at]++;
        SeedRefusedException refused = Assert.Throws<SeedRefusedException>(() => SeedIndex.Read(bytes, 512, sums, 2048));
        Assert.Contains("field objectBytes", refused.Entry, StringComparison.Ordinal);
        Assert.InRange(refused.Offset, 512 + at - 40, 512 + at);
    }

    [Fact]
    public void Index_WhoseChecksumsAreDamagedAnywhere_IsRefused()
    {
        byte[] bytes = Sample().ToBytes();
        byte[] sums = IndexChecksums.Of(bytes);
        for (int i = 0; i < sums.Length; i++)
        {
            byte[] flipped = [.. sums];
            flipped[i] ^= 1;
            foreach (byte[] damaged in (byte[][])[flipped, sums[..i], [.. sums[..i], (byte)'\n', .. sums[i..]]])
            {
                SeedRefusedException refused = Assert.Throws<SeedRefusedException>(() => SeedIndex.Read(bytes, 0, damaged, 2048));
                Assert.True(refused.Offset <= 2048 + i + 1 || refused.Entry.StartsWith(SeedPath.Index, StringComparison.Ordinal));
            }
        }

        Assert.Throws<SeedRefusedException>(() => SeedIndex.Read(bytes, 0, (byte[])[.. sums, (byte)'\n'], 2048));
    }

    /// <summary>A bundle of 8 MiB of line ends made a text for each of its lines, and one of all their sums.</summary>
    [Theory]
    [InlineData("\n")]
    [InlineData("a\n")]
    [InlineData(":")]
    public void Index_OfAsManyLinesAsMayBe_IsRefusedInLittleMemory(string line)
    {
        byte[] index = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(line, SeedIndex.MaxBytes / line.Length)));
        byte[] sums = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("\n", IndexChecksums.MaxBytes(index.Length))));
        long before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Throws<SeedRefusedException>(() => SeedIndex.Read(index, 0, sums, 0));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    /// <summary>64 MiB of names of one letter made a text for each: more than a gigabyte.</summary>
    [Theory]
    [InlineData("a\n")]
    [InlineData("a")]
    public void Inherited_OfAsManyLinesAsMayBe_IsRefusedInLittleMemory(string line)
    {
        byte[] list = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(line, (64 << 20) / line.Length)));
        long before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Throws<SeedRefusedException>(() => InheritedList.Read(list, 0));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("")]
    [InlineData("a/b")]
    public void Index_WithAStrangeName_IsRefusedByField(string name)
    {
        byte[] bytes = (Sample() with { Name = name }).ToBytes();
        SeedRefusedException refused = Assert.Throws<SeedRefusedException>(() => SeedIndex.Read(bytes, 0, IndexChecksums.Of(bytes), 0));
        Assert.Contains("field name", refused.Entry, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cvmfs/a.example.org/.cvmfspublished", 65 << 10)]
    [InlineData("cvmfs/a.example.org/.cvmfswhitelist", 257 << 10)]
    [InlineData("breakwater-seed/keys/a.example.org.pub", 65 << 10)]
    [InlineData("breakwater-seed/inherited.txt", (64 << 20) + 1)]
    public async Task Document_LongerThanItsKindIs_IsRefusedBeforeItIsRead(string name, long size)
    {
        SeedRefusedException refused = await Assert.ThrowsAsync<SeedRefusedException>(() => ReadDocumentsAsync([name], size, content: []));
        Assert.Contains(name, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Documents_AllTogether_AreNoMoreThanTheReaderKeeps()
    {
        // Each is as long as it may be, and there are 1,000 whitelists: 250 MB, of which 64 MiB at most may ever be read.
        string[] names = [.. Enumerable.Range(0, 1000).Select(i => $"cvmfs/r{i:000}.example.org/.cvmfswhitelist")];
        SeedRefusedException refused =
            await Assert.ThrowsAsync<SeedRefusedException>(() => ReadDocumentsAsync(names, 256 << 10, new byte[256 << 10]));
        Assert.Contains("for all documents", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Index_WithMoreObjectsThanAreKeptInMemory_IsRefused()
    {
        foreach (SeedIndex hostile
            in (SeedIndex[])[Sample() with { Objects = SeedIndex.MaxObjects + 1 }, Sample() with { Inherited = long.MaxValue }])
        {
            byte[] bytes = hostile.ToBytes();
            Assert.Throws<SeedRefusedException>(() => SeedIndex.Read(bytes, 0, IndexChecksums.Of(bytes), 0));
        }
    }

    [Fact]
    public void Index_WithNothingWhereSomethingBelongs_OrTheSameTwice_IsRefused()
    {
        var snapshot = new SeedSnapshot("", 2, new string('a', 40) + "C", "all", true);
        SeedIndex[] lies =
        [
            Sample() with { Repositories = [null!] },
            Sample() with { Documents = [null!] },
            Sample() with { Repositories = [new SeedRepository("a.example.org", 2, DateTimeOffset.UnixEpoch, [null!])] },
            Sample() with { Repositories = [new SeedRepository("a.example.org", 2, DateTimeOffset.UnixEpoch, [snapshot, snapshot])] },
        ];
        foreach (SeedIndex lie in lies)
        {
            byte[] bytes = lie.ToBytes();
            Assert.Throws<SeedRefusedException>(() => SeedIndex.Read(bytes, 0, IndexChecksums.Of(bytes), 0));
        }
    }

    private static async Task ReadDocumentsAsync(string[] names, long size, byte[] content)
    {
        string[] fqrns =
            [.. names.Where(name => name.StartsWith("cvmfs/", StringComparison.Ordinal)).Select(name => name.Split('/')[1])
            .DefaultIfEmpty("a.example.org")];
        byte[] index = (Sample() with
        {
            Repositories =
                [.. fqrns.Order(StringComparer.Ordinal).Select(fqrn => new SeedRepository(fqrn, 2, DateTimeOffset.UnixEpoch, []))],
            Documents = [
                .. names.Select(name =>
                    new SeedDocument(name, size, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content))))],
        }).ToBytes();
        using var bundle = new MemoryStream();
        await using (var writer = new SeedWriter(bundle))
        {
            await writer.WriteIndexAsync(index, default);
            foreach (string name in content.Length == size ? names.Take(300) : [])
            {
                await writer.WriteAsync(name, new MemoryStream(content), default);
            }
        }

        bundle.Position = 0;
        var reader = new SeedReader(bundle, new SeedLimits(1 << 30));
        await reader.ReadIndexAsync(default);
        await reader.ReadContentAsync(new Forgetful(), default);
    }

    private static SeedIndex Sample() => new()
    {
        Format = SeedIndex.CurrentFormat,
        Name = "sample",
        Repositories =
            [new SeedRepository("a.example.org", 2, new DateTimeOffset(2046, 1, 1, 0, 0, 0, TimeSpan.Zero),
            [new SeedSnapshot("HEAD4", 2, Hash + "C", "all", true)])],
        Documents = [],
        Objects = 1,
        ObjectBytes = 777,
        Links = 0,
        Inherited = 0,
        Contents = new string('a', 64),
    };

    private sealed class Forgetful : ISeedVisitor
    {
        public ValueTask OnDocumentAsync(string name, byte[] bytes, long offset, CancellationToken cancellationToken) => default;

        public ValueTask OnObjectAsync(SeedPath path, string name, long length, long offset, CancellationToken cancellationToken) =>
            default;

        public ValueTask OnObjectBytesAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => default;

        public ValueTask OnObjectEndAsync(CancellationToken cancellationToken) => default;

        public void OnLink(SeedPath path)
        {
        }
    }
}
