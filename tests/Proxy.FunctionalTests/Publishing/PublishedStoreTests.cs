using Breakwater.CacheStore;
using Breakwater.Proxy.Commands.Publish;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Proxy.Commands.Publish.Revisions;
using Breakwater.Proxy.FunctionalTests.Seeding;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Publishing;

/// <summary>A repository that is published straight into Breakwater's store: no Stratum 1 has it, and nothing of it is evicted.</summary>
public sealed class PublishedStoreTests : IAsyncLifetime
{
    private const string Root = "/cvmfs/" + PublishBench.Fqrn + "/";

    private readonly PublishBench _bench = new();
    private readonly ScriptedUpstream _nobody = ScriptedUpstream.Start();
    private ProxyUnderTest _proxy = null!;

    public async Task InitializeAsync() => _proxy = await StartAsync();

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        Assert.Empty(_nobody.Requests);
        await _nobody.DisposeAsync();
        _bench.Dispose();
    }

    [Fact]
    public async Task Published_IsServedAndPinned_AlsoAfterARestart()
    {
        await _bench.ShellAsync("mkdir -p d n; : > n/.cvmfscatalog; for i in {1..50}; do echo $i > d/f$i; done");
        await _bench.ShellAsync("head -c 9000000 /dev/urandom > n/big");
        Manifest first = (await _bench.PublishAsync(request => request with { Tag = "v1" })).Manifest;
        Assert.Equal(404, (await _proxy.GetAsync(Root + ".cvmfspublished")).Status);
        HashSet<ObjectKey> all = await DeliverAsync();
        await AssertShownAsync(first, all);
        await _proxy.RestartAsync();
        await AssertShownAsync(first, all);
        Assert.Equal(404, (await _proxy.GetAsync(Root + "data/00/11111111111111111111111111111111111111")).Status);
        Assert.Equal(404, (await _proxy.GetAsync(Root + ".cvmfs_last_snapshot")).Status);

        // Files are in the store only, and a new revision is made without them.
        Assert.DoesNotContain(
            Directory.EnumerateFiles(Path.Combine(_bench.Root, "data"), "*", SearchOption.AllDirectories), file => file.EndsWith('P'));
        _bench.Write("d/f7", "another text");
        PublishResult second = await _bench.PublishAsync();
        Assert.Equal((1L, 2UL), (second.FilesRead, second.Manifest.Revision));
        all.UnionWith(await DeliverAsync());
        await AssertShownAsync(second.Manifest, all);
        await AssertShownAsync(second.Manifest, all);
    }

    [Fact]
    public async Task Published_ObjectsOfNoTag_AreReleasedByGcAlone()
    {
        _bench.Write("f", "one");
        ObjectKey one = (await _bench.PublishAsync()).Manifest.RootCatalog;
        await DeliverAsync();
        _bench.Write("f", "two!");
        await _bench.PublishAsync();
        await DeliverAsync();
        _bench.Write("f", "three");
        ObjectKey three = (await _bench.PublishAsync()).Manifest.RootCatalog;
        await DeliverAsync();
        Assert.True(_proxy.Store.Pins.IsPinned(one));
        SeedRegistry seeds = _proxy.Services.GetRequiredService<SeedRegistry>();
        Assert.Throws<SeedStoreException>(() => seeds.Remove(SeedName.OfPublished(PublishBench.Fqrn)));

        using (RepositoryFolder folder = RepositoryFolder.Open(_bench.Output, PublishBench.Fqrn))
        {
            CurrentRepository current = (await CurrentRepository.LoadAsync(folder, default))!;
            await Garbage.CollectAsync(folder, _bench.Keys, TimeSpan.FromDays(9), current, _bench.Time.GetUtcNow(), default);
        }

        await DeliverAsync();
        Assert.False(_proxy.Store.Pins.IsPinned(one));
        Assert.True(_proxy.Store.Pins.IsPinned(three));
        Assert.True(_proxy.Store.Pins.IsPinned(ObjectOf("three")));
    }

    [Fact]
    public async Task Published_DoesNotFit_IsRefusedAndTheOldRevisionStays()
    {
        _bench.Write("f", "small");
        Manifest small = (await _bench.PublishAsync()).Manifest;
        HashSet<ObjectKey> all = await DeliverAsync();
        long room = _proxy.Store.Pins.MaxBytes;
        await _bench.ShellAsync($"head -c {room + (1 << 20)} /dev/urandom > big");
        await _bench.PublishAsync();
        await Assert.ThrowsAsync<SeedStoreException>(DeliverAsync);
        await AssertShownAsync(small, all);
        await _bench.ShellAsync("rm big");
        Assert.Equal(3UL, (await _bench.PublishAsync()).Manifest.Revision);
    }

    [Fact]
    public async Task Published_WhitelistNearItsEnd_IsAFinding_AndARenewedOneIsShown()
    {
        _bench.Write("f", "text");
        await _bench.PublishAsync(request => request with { WhitelistValidity = TimeSpan.FromDays(13) });
        byte[] shortLived = _bench.Keys.SignWhitelist(
            _bench.Keys.ReadKey(_bench.Keys.MasterPath), [Certificate()], _bench.Time.GetUtcNow(), TimeSpan.FromDays(13));
        await File.WriteAllBytesAsync(Path.Combine(_bench.Root, ".cvmfswhitelist"), shortLived);
        await DeliverAsync();
        Assert.Contains("publish whitelist", Assert.Single(Findings()).Text, StringComparison.Ordinal);

        byte[] renewed = _bench.Keys.SignWhitelist(
            _bench.Keys.ReadKey(_bench.Keys.MasterPath), [Certificate()], _bench.Time.GetUtcNow(), TimeSpan.FromDays(200));
        await File.WriteAllBytesAsync(Path.Combine(_bench.Root, ".cvmfswhitelist"), renewed);
        await DeliverAsync();
        Assert.Empty(Findings());
        Assert.Equal(renewed, (await _proxy.GetAsync(Root + ".cvmfswhitelist")).Body);
    }

    /// <summary>
    /// A bundle's name is anybody's word. One that named itself as what is published here took the place of its pins: objects that were
    /// nowhere else could be evicted.
    /// </summary>
    [Theory]
    [InlineData(null)]
    [InlineData("published-" + PublishBench.Fqrn)]
    public async Task Bundle_UnderTheNameOfWhatIsPublished_IsRefusedAndAllStaysPinned(string? name)
    {
        _bench.Write("f", "text");
        Manifest manifest = (await _bench.PublishAsync()).Manifest;
        HashSet<ObjectKey> all = await DeliverAsync();
        await using SeedBench other = await SeedBench.StartAsync(FixtureRepository.Tiny);
        var forge = BundleForge.Open(await other.ExportAsync(SeedBench.All(FixtureRepository.Tiny.Fqrn)));
        forge.Index = forge.Index with { Name = name is null ? SeedName.OfPublished(PublishBench.Fqrn) : "harmless" };
        byte[] bundle = await forge.MakeAsync();

        SeedRefusedException refused =
            await Assert.ThrowsAsync<SeedRefusedException>(() => SeedBench.ImportAsync(_proxy, bundle, name));
        await Assert.ThrowsAsync<SeedRefusedException>(() => _proxy.Services.GetRequiredService<SeedImporter>().PublishAsync(
            new BundleSource(new MemoryStream(bundle), new SeedLimits(1L << 30)), PublishBench.Fqrn, default));

        Assert.Contains("publish", refused.Message, StringComparison.Ordinal);
        await AssertShownAsync(manifest, all);
    }

    /// <summary>
    /// No key of the site proves who signed what is published: a bundle with a key of its own and a later revision shows nothing of it.
    /// </summary>
    [Fact]
    public async Task Bundle_OfWhatIsPublished_SignedByAnotherKey_IsNotShown()
    {
        _bench.Write("f", "text");
        Manifest manifest = (await _bench.PublishAsync()).Manifest;
        await using ProxyUnderTest proxy = await StartAsync(_bench.Combine("no-keys"));
        using var stranger = new PublishBench(hasKeysOfItsOwn: true);
        stranger.Write("f", "a stranger's");
        await stranger.PublishAsync();
        await stranger.PublishAsync(request => request with { Tag = "later" });
        byte[] bundle = await BundleOfAsync(stranger);
        byte[] own = await BundleOfAsync(_bench);
        await proxy.Services.GetRequiredService<SeedImporter>().PublishAsync(
            new BundleSource(new MemoryStream(own), new SeedLimits(1L << 30)), PublishBench.Fqrn, default);

        await SeedBench.ImportAsync(proxy, bundle, "from-a-stick");

        RawResponse shown = await proxy.GetAsync(Root + ".cvmfspublished");
        Assert.Equal(manifest.Revision, Manifest.Parse(shown.Body).Value!.Revision);
        await proxy.RestartAsync();
        shown = await proxy.GetAsync(Root + ".cvmfspublished");
        Assert.Equal(manifest.Revision, Manifest.Parse(shown.Body).Value!.Revision);
    }

    private static async Task<byte[]> BundleOfAsync(PublishBench bench)
    {
        using RepositoryFolder folder = RepositoryFolder.Open(bench.Output, PublishBench.Fqrn);
        using var bundle = new MemoryStream();
        await new StoreShipment(folder, (await CurrentRepository.LoadAsync(folder, default))!, bench.Keys).WriteAsync(bundle, default);
        return bundle.ToArray();
    }

    private IEnumerable<HealthFinding> Findings() => _proxy.Services.GetServices<IHealthSource>().OfType<SeedStart>().Single().Find();

    private byte[] Certificate() =>
        Commands.Publish.Keys.PublishKeys.DerOf(_bench.Keys.ReadCertificate(), _bench.Keys.CertificatePath);

    /// <summary>What <c>publish</c> does once the folder is written, with the store of the proxy that runs.</summary>
    private async Task<HashSet<ObjectKey>> DeliverAsync()
    {
        using RepositoryFolder folder = RepositoryFolder.Open(_bench.Output, PublishBench.Fqrn);
        var shipment = new StoreShipment(folder, (await CurrentRepository.LoadAsync(folder, default))!, _bench.Keys);
        Assert.True(shipment.IsNeeded);
        SeedImporter importer = _proxy.Services.GetRequiredService<SeedImporter>();
        await StoreDelivery.SendAsync(
            shipment,
            (body, cancel) => importer.PublishAsync(new BundleSource(body, new SeedLimits(1L << 30)), PublishBench.Fqrn, cancel),
            CancellationToken.None).InTimeAsync();
        shipment.Complete();
        Assert.False(new StoreShipment(folder, (await CurrentRepository.LoadAsync(folder, default))!, _bench.Keys).IsNeeded);
        return [.. StoredObjects.Load(folder.StateFile(StoredObjects.FileName)).Keys];
    }

    private async Task AssertShownAsync(Manifest manifest, HashSet<ObjectKey> objects)
    {
        RawResponse shown = await _proxy.GetAsync(Root + ".cvmfspublished");
        Assert.Equal(200, shown.Status);
        Assert.Equal(manifest.Revision, Manifest.Parse(shown.Body).Value!.Revision);
        Assert.Equal(200, (await _proxy.GetAsync(Root + ".cvmfswhitelist")).Status);
        using RawHttpClient client = await _proxy.ConnectAsync();
        foreach (ObjectKey key in objects)
        {
            Assert.True(_proxy.Store.Pins.IsPinned(key));
            RawResponse answer = await client.GetAsync(Root + key.ToPath());
            Assert.Equal(200, answer.Status);
            Assert.True(key.DigestEquals(System.Security.Cryptography.SHA1.HashData(answer.Body)));
        }
    }

    private static ObjectKey ObjectOf(string content)
    {
        using var directory = new TemporaryDirectory();
        var folder = new ObjectFolder(directory.Path, directory.Combine("tmp"));
        folder.Create();
        return folder.Put(System.Text.Encoding.ASCII.GetBytes(content), '\0');
    }

    private Task<ProxyUnderTest> StartAsync(string? keys = null) => ProxyUnderTest.StartAsync(
        new Dictionary<string, string?>
        {
            [$"Repositories:{PublishBench.Fqrn}:Published"] = "true",
            ["Repositories:KeysDirectory"] = keys is null ? _bench.KeysFolder : Directory.CreateDirectory(keys).FullName,
            ["Store:QuotaBytes"] = StoreOptions.MinQuotaBytes.ToString(System.Globalization.CultureInfo.InvariantCulture),
        },
        null,
        _nobody);
}
