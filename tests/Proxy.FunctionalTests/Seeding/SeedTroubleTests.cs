using System.Diagnostics;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Documents;
using Breakwater.CacheStore.Pins;
using Breakwater.Proxy.Commands;
using Breakwater.Proxy.Commands.Seed;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.Proxy.FunctionalTests.Seeding;

/// <summary>What goes wrong around a seed: the disk at the last moment, odd trees, odd files named on the command line.</summary>
public sealed class SeedTroubleTests
{
    private static readonly FixtureRepository s_tiny = FixtureRepository.Tiny;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Import_ThatTheDiskRefusesInTheEnd_LeavesTheSeedOfThatNamePinnedAsItWas(bool wasThere)
    {
        FixtureRepository other = FixtureRepository.Nocomp;
        await using SeedBench bench = await SeedBench.StartAsync(s_tiny, other);
        await using ProxyUnderTest lab = await bench.StartOfflineAsync();
        if (wasThere)
        {
            await SeedBench.ImportAsync(lab, await bench.ExportAsync(SeedBench.All(s_tiny.Fqrn)), "lab");
        }

        PinSets pins = lab.Services.GetRequiredService<PinSets>();
        IReadOnlyList<ObjectKey>? before = pins.Keys(PinName.OfSeed("lab").Text);
        byte[] bundle = await bench.ExportAsync(SeedBench.All(other.Fqrn));
        SeedImporter failing = ImporterOn(lab.Services, new FullDocumentStore(lab.Services.GetRequiredService<IDocumentStore>()));

        await Assert.ThrowsAsync<IOException>(() =>
            failing.ImportAsync(new BundleSource(new MemoryStream(bundle), new SeedLimits(1 << 30)), "lab", null, default));

        Assert.Equal(before, pins.Keys(PinName.OfSeed("lab").Text));
        Assert.Equal(wasThere ? s_tiny.Fqrn : null,
            lab.Services.GetRequiredService<SeedRegistry>().Find("lab")?.Repositories.Single().Fqrn);
    }

    [Fact]
    public async Task Import_OntoADiskThatRefusesWrites_EndsWithASentenceAndGoesOnLater()
    {
        await using SeedBench bench = await SeedBench.StartAsync(s_tiny);
        byte[] bundle = await bench.ExportAsync(SeedBench.All(s_tiny.Fqrn));
        var disk = new FaultyDisk();
        await using ProxyUnderTest lab = await ProxyUnderTest.StartOnAsync(disk, null, bench.Upstream);
        disk.WriteFault = FaultyDisk.Full;

        SeedStoreException refused = await Assert.ThrowsAsync<SeedStoreException>(() => SeedBench.ImportAsync(lab, bundle).InTimeAsync());
        Assert.Contains("full", refused.Message, StringComparison.Ordinal);

        disk.WriteFault = null;
        lab.Store.Health.RetryNow();
        await Waiting.UntilAsync(() => lab.Store.Statistics.WriteFailure is null);
        Assert.Equal(s_tiny.Fqrn, (await SeedBench.ImportAsync(lab, bundle).InTimeAsync()).Record.Repositories.Single().Fqrn);
    }

    [Fact]
    public async Task Export_ThatItsPlaceDoesNotTake_NamesTheBundleAndNotTheStore()
    {
        using var directory = new TemporaryDirectory();
        foreach (string place in (string[])["/dev/full", directory.Combine("in", "x.tar")])
        {
            Directory.CreateDirectory(directory.Combine("in"));
            IOException failure = await Assert.ThrowsAsync<IOException>(() => SeedOutput.Of(place, "x.tar").WriteAsync(async stream =>
            {
                await stream.WriteAsync(new byte[3 << 20]);
                Directory.Delete(directory.Combine("in"), recursive: true); // it cannot get its name
            }));

            Assert.StartsWith($"The bundle could not be written to {place}: ", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Import_UnderTheNameOfAnotherSeed_LeavesNoDocumentOfThatOne()
    {
        FixtureRepository other = FixtureRepository.Nocomp;
        await using SeedBench bench = await SeedBench.StartAsync(s_tiny, other);
        await using ProxyUnderTest lab = await bench.StartOfflineAsync();
        await SeedBench.ImportAsync(lab, await bench.ExportAsync(SeedBench.All(s_tiny.Fqrn)), "lab");

        await SeedBench.ImportAsync(lab, await bench.ExportAsync(SeedBench.All(other.Fqrn)), "lab");

        Assert.All(lab.Services.GetRequiredService<IDocumentStore>().Keys("seed-document/lab/"),
            key => Assert.Contains(other.Fqrn, key, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Tree_ThatHoldsARepositoryTwice_IsRefusedByBothPlaces()
    {
        using var disk = new TemporaryDirectory();
        foreach (string place in (string[])["one", "two"])
        {
            Directory.CreateDirectory(disk.Combine(place));
            await File.WriteAllBytesAsync(Path.Combine(disk.Combine(place), SeedPath.Manifest), s_tiny.Files[SeedPath.Manifest]);
        }

        SeedRefusedException refused =
            await Assert.ThrowsAsync<SeedRefusedException>(() =>
            new TreeSource(new DirectoryInfo(disk.Path), new SeedLimits(1 << 30)).ReadIndexAsync(default));

        Assert.Contains(disk.Combine("one"), refused.Message, StringComparison.Ordinal);
        Assert.Contains(disk.Combine("two"), refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tree_WithPipesInIt_IsReadWithoutThem()
    {
        using var disk = new TemporaryDirectory();
        s_tiny.WriteTo(disk.Path);
        Directory.CreateDirectory(disk.Combine("other"));
        Directory.CreateDirectory(disk.Combine("data/aa"));
        string[] pipes = [disk.Combine("other/" + SeedPath.Manifest), disk.Combine("data/aa/" + new string('a', 38))];
        using (Process mkfifo = Process.Start("mkfifo", pipes))
        {
            await mkfifo.WaitForExitAsync().InTimeAsync();
        }

        SeedIndex index =
            await Task.Run(() => new TreeSource(new DirectoryInfo(disk.Path), new SeedLimits(1 << 30)).ReadIndexAsync(default))
            .InTimeAsync();

        Assert.Equal(s_tiny.Fqrn, Assert.Single(index.Repositories).Fqrn);
        Assert.Equal(s_tiny.Objects.Count, index.Objects);
    }

    [Fact]
    public async Task Export_PathsFromADeviceWithoutEnd_EndsWithoutReadingItAll()
    {
        using var directory = new TemporaryDirectory();
        string output = directory.Combine("x.tar");

        int code = await SeedCommand.Create()
            .Parse(["export", s_tiny.Fqrn, "--paths", "/dev/zero", "--from", "http://127.0.0.1:9/", "-o", output]).InvokeAsync()
            .InTimeAsync();

        Assert.Equal(ExitCodes.CannotStart, code);
        Assert.Empty(Directory.EnumerateFileSystemEntries(directory.Path));
    }

    [Fact]
    public async Task Command_WhoseFileCannotBeRead_EndsWithASentenceAndAnExitCode()
    {
        Assert.Equal(ExitCodes.CannotStart,
            await AdminCommand.RunAsync(null, async (_, stop) => (await GivenFile.ReadAsync("/no/such/file", stop)).Length, default));
    }

    private static SeedImporter ImporterOn(IServiceProvider services, IDocumentStore documents)
    {
        IObjectStore store = services.GetRequiredService<IObjectStore>();
        PinSets pins = services.GetRequiredService<PinSets>();
        SeedTrust trust = services.GetRequiredService<SeedTrust>();
        SignedDocuments signed = services.GetRequiredService<SignedDocuments>();
        var records = new SeedRecords(documents);
        var registry = new SeedRegistry(
            records, new SeedReveal(records, store, signed, trust, TimeProvider.System, NullLogger<SeedReveal>.Instance), pins, signed,
            services.GetRequiredService<RepositoryRoutes>(), new Proxy.Settings.ProxyOptions(), new Proxy.Settings.SeedOptions());
        return new SeedImporter(store, registry, pins, trust, TimeProvider.System);
    }

    /// <summary>Its disk takes nothing more.</summary>
    private sealed class FullDocumentStore(IDocumentStore inner) : IDocumentStore
    {
        public int MaxDocumentBytes => inner.MaxDocumentBytes;

        public bool TryGet(string key, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out StoredDocument? document) =>
            inner.TryGet(key, out document);

        public ValueTask PutAsync(string key, StoredDocument document, CancellationToken cancellationToken = default) =>
            ValueTask.FromException(new IOException("No space left on device"));

        public bool Remove(string key) => inner.Remove(key);

        public IReadOnlyList<string> Keys(string prefix = "") => inner.Keys(prefix);
    }
}
