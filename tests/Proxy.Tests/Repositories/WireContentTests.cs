using System.Security.Cryptography;
using Breakwater.CacheStore;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace Breakwater.Proxy.Tests.Repositories;

/// <summary>Objects that are zstd frames rather than zlib streams.</summary>
public sealed class WireContentTests
{
    private static readonly Fixture s_tiny = Fixture.Load("tiny.example.org");

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(19)]
    public async Task Catalog_AsZstd_ReadsTheSameTree(int level)
    {
        async Task<List<string>> ReadAsync(Func<ObjectKey, byte[]> wire)
        {
            List<string> paths = [];
            Assert.Null(await new CatalogTree(
                s_tiny.Manifest.RootCatalog,
                (key, cancel) => Catalog.OpenAsync(new MemoryStream(wire(key)), CatalogLimits.Default, cancel)).WalkAsync(
                (catalog, _) => catalog.Walk(entry => paths.Add($"{entry.Path} {entry.SizeBytes} {entry.Object}"))));
            return paths;
        }

        List<string> expected = await ReadAsync(s_tiny.Wire);
        Assert.Equal(expected, await ReadAsync(key => Zstd(s_tiny.Content(key, isStoredPlain: false), level)));
        Assert.NotEmpty(expected);
    }

    [Fact]
    public async Task HistoryAndCertificate_AsZstd_ReadTheSame()
    {
        History expected = await s_tiny.ReadHistory(s_tiny.Manifest.History!.Value);
        byte[] history = Zstd(s_tiny.Content(s_tiny.Manifest.History!.Value, isStoredPlain: false));
        byte[] certificate = Zstd(s_tiny.Content(s_tiny.Manifest.Certificate!.Value, isStoredPlain: false));

        History read = (await History.ReadAsync(new MemoryStream(history), CatalogLimits.Default)).Value!;

        Assert.Equal(expected.Tags.OrderBy(tag => tag.Name), read.Tags.OrderBy(tag => tag.Name));
        Assert.Equal(Certificate.Parse(s_tiny.CertificateBytes).Value!.Der.ToArray(), Certificate.Parse(certificate).Value!.Der.ToArray());
    }

    [Fact]
    public async Task Catalog_ZstdThatInflatesPastTheLimit_IsRefusedWithoutFillingTheDisk()
    {
        using var directory = new TemporaryDirectory();
        CatalogLimits limits = new() { MaxInflatedBytes = 1 << 20, TemporaryDirectory = directory.Path };

        Parsed<Catalog> opened = await Catalog.OpenAsync(new MemoryStream(Zstd(new byte[64 << 20])), limits);

        Assert.Contains("more than 1048576 bytes", opened.Problem, StringComparison.Ordinal);
        Assert.Null(WireContent.TryRead(Zstd(new byte[64 << 20]), 64 << 10));
        Assert.Empty(Directory.EnumerateFileSystemEntries(directory.Path));
    }

    [Fact]
    public void Content_ThatAsksForMoreMemoryThanAllowed_IsRefused()
    {
        // Two frames that differ in the window alone: 8 MiB, as the highest ordinary level asks for, and 128 MiB.
        byte[] noise = RandomNumberGenerator.GetBytes(1 << 20);
        Assert.Equal(noise, WireContent.TryRead(Zstd(noise, windowLog: 23), noise.Length));
        Assert.Null(WireContent.TryRead(Zstd(noise, windowLog: 27), noise.Length));
    }

    [Fact]
    public async Task Catalog_ZstdTruncatedOrDamagedAnywhere_EndsWithEntriesOrASentence()
    {
        byte[] wire = Zstd(s_tiny.Content(s_tiny.Manifest.RootCatalog, isStoredPlain: false));
        for (int length = 0; length < wire.Length; length += 13)
        {
            Assert.NotNull((await Catalog.OpenAsync(new MemoryStream(wire, 0, length), CatalogLimits.Default)).Problem);
        }

        var random = new Random(4235);
        for (int i = 0; i < 500; i++)
        {
            byte[] damaged = [.. wire];
            damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            Parsed<Catalog> opened = await Catalog.OpenAsync(new MemoryStream(damaged), CatalogLimits.Default);
            Assert.True(opened.Value is not null || opened.Problem is { Length: > 0 });
            opened.Value?.Dispose();
        }
    }

    private static byte[] Zstd(byte[] content, int level = 3, int? windowLog = null)
    {
        using var wire = new MemoryStream();
        using (var zstd = new CompressionStream(wire, level, leaveOpen: true))
        {
            zstd.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
            if (windowLog is int log)
            {
                zstd.SetParameter(ZSTD_cParameter.ZSTD_c_windowLog, log);
            }

            zstd.Write(content);
        }

        return wire.ToArray();
    }
}
