using System.Formats.Tar;
using System.IO.Compression;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Store;

/// <summary>
/// What another version wrote: an older store opens with all that it holds, a newer one is put aside with a sentence.
/// <c>perf/Http/versions.py</c> goes up and down between two builds.
/// </summary>
public sealed class OtherVersionsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    /// <summary>
    /// <c>store-of-0.1.0.tgz</c> was written by commit aa121a4, which knew no ordinary HTTP: each third of the small objects of
    /// tiny.example.org, and its largest, which lies in parts.
    /// </summary>
    [Fact]
    public async Task OlderStore_Opens_WithoutRefetchingAndTakesOrdinaryHttp()
    {
        string store = _directory.Combine("store");
        Directory.CreateDirectory(store);
        await using (FileStream file = File.OpenRead(Checkout.PathOf("tests", "Proxy.FunctionalTests", "Store", "store-of-0.1.0.tgz")))
        {
            await TarFile.ExtractToDirectoryAsync(new GZipStream(file, CompressionMode.Decompress), store, overwriteFiles: false);
        }

        FixtureRepository tiny = FixtureRepository.Tiny;
        ObjectKey[] held = [.. tiny.Files.Where(static file => file.Value.Length < 3_000).Select(static file => file.Key)
            .Where(static path => FixtureRepository.TryParseObjectPath(path, out _)).Order(StringComparer.Ordinal)
            .Where(static (_, i) => i % 3 == 0).Select(Key), tiny.LargestObject];
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        upstream.Script("/page", new UpstreamBehaviour
        {
            RawAnswer = "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 6\r\n\r\na page"u8.ToArray(),
        });
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?> { ["Store:Path"] = store, ["Http:Sites:h.example.com:Origin"] = upstream.Address },
            null,
            upstream);

        Assert.Equal(67, held.Length);
        foreach (ObjectKey key in held)
        {
            Assert.Equal(tiny.Objects[key], (await proxy.GetAsync(tiny.UrlPath(key))).Body);
        }

        Assert.Equal(0, upstream.ObjectRequestCount);
        Assert.Equal("a page"u8.ToArray(), (await proxy.GetAsync("http://h.example.com/page")).Body);
        await proxy.RestartAsync();
        Assert.Equal("a page"u8.ToArray(), (await proxy.GetAsync("http://h.example.com/page")).Body);
        Assert.Equal(tiny.Objects[held[0]], (await proxy.GetAsync(tiny.UrlPath(held[0]))).Body);
        Assert.Equal((0, 1), (upstream.ObjectRequestCount, upstream.RequestCount("/page")));
    }

    /// <summary>What a downgrade meets when the format of the store has gone on meanwhile.</summary>
    [Theory]
    [InlineData("objects")]
    [InlineData("named/objects")]
    [InlineData("named/heads")]
    public async Task NewerStore_IsRefusedWithASentenceAndPutAside(string part)
    {
        var options = new StoreOptions { Path = _directory.Combine("store"), QuotaBytes = StoreOptions.MinQuotaBytes };
        await using (FasterObjectStore written = await FasterObjectStore.OpenAsync(options))
        {
            written.Named.Heads.Put("http://h.example.com/page", "a head"u8.ToArray());
        }

        string commit = Path.Combine(options.Path, part, "commit");
        byte[] bytes = await File.ReadAllBytesAsync(commit);
        bytes[3] = bytes[4096 + 3] = (byte)'2';
        await File.WriteAllBytesAsync(commit, bytes);
        var lines = new LogLines();

        await using FasterObjectStore store = await FasterObjectStore.OpenAsync(options, logger: lines);

        Assert.Single(Directory.GetDirectories(options.Path, part + ".aside-*"));
        string line = Assert.Single(lines.Said.Zip(lines.Faults, static (said, fault) => $"{said} {fault?.Message}"),
            static said => said.Contains("aside", StringComparison.Ordinal));
        Assert.Contains("go back to the version that wrote it", line, StringComparison.Ordinal);
        Assert.Contains("another version of the store wrote them (this one reads format 1)", line, StringComparison.Ordinal);
    }

    private static ObjectKey Key(string path) =>
        FixtureRepository.TryParseObjectPath(path, out ObjectKey key) ? key : throw new ArgumentException(path);
}
