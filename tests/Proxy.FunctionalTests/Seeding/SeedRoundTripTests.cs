using System.Formats.Tar;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Seeding.Export;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Seeding;

public sealed class SeedRoundTripTests
{
    [Fact]
    public async Task OfflineLab_BootFromWorkingSetBundle_EveryRequestAHitAndNoConnectionOutwards()
    {
        FixtureRepository minios = FixtureRepository.MiniOs;
        await using SeedBench bench = await SeedBench.StartAsync(minios);
        byte[] bundle = await bench.ExportAsync(BootOrder(minios));
        await using ProxyUnderTest lab = await bench.StartOfflineAsync();
        SeedImportResult imported = await SeedBench.ImportAsync(lab, bundle);
        Assert.True(imported.Record.Repositories.Single().IsVerified);
        int before = bench.Upstream.ConnectionsAccepted;

        foreach (string url in FixtureRepository.BootRequests(2))
        {
            RawResponse response = await lab.GetAsync(url);
            Assert.Equal(200, response.Status);
            Assert.Contains("hit", response.Header("Cache-Status"), StringComparison.Ordinal);
            Assert.Equal(minios.Files[url[$"/cvmfs/{minios.Fqrn}/".Length..]], response.Body);
        }

        RawResponse geo = await lab.GetAsync($"/cvmfs/{minios.Fqrn}/api/v1.0/geo/x/a,b");
        Assert.Equal("1,2\n", System.Text.Encoding.ASCII.GetString(geo.Body));
        RawResponse absent = await lab.GetAsync($"/cvmfs/{minios.Fqrn}/data/00/000000000000000000000000000000000000ff");
        Assert.Equal(404, absent.Status);
        Assert.Contains("destination_unavailable", absent.Header("Proxy-Status"), StringComparison.Ordinal);
        Assert.Equal(before, bench.Upstream.ConnectionsAccepted);
        Assert.Contains(lab.Services.GetRequiredService<SeedStart>().Statements(),
            text => text.Contains("HEAD4", StringComparison.Ordinal));

        await lab.RestartAsync();
        Assert.Equal(200, (await lab.GetAsync(minios.UrlPath(".cvmfspublished"))).Status);
    }

    [Fact]
    public async Task Trace_OfTheClient_BootsAsWell()
    {
        FixtureRepository minios = FixtureRepository.MiniOs;
        await using SeedBench bench = await SeedBench.StartAsync(minios);
        string trace = await File.ReadAllTextAsync(Path.Combine(FixtureRepository.FixturesDirectory, "minios", "boot-trace.v2.csv"));
        byte[] bundle = await bench.ExportAsync(OrderOf(minios, SeedPathList.Read(trace, [minios.Fqrn]).Value!));
        await using ProxyUnderTest lab = await bench.StartOfflineAsync();
        await SeedBench.ImportAsync(lab, bundle);

        foreach (string url in FixtureRepository.BootRequests(2))
        {
            Assert.Equal(200, (await lab.GetAsync(url)).Status);
        }
    }

    [Fact]
    public async Task TwoRepositories_AllInOneBundle_UnpackToAServersTreeWithSharedObjectsOnce()
    {
        await using SeedBench bench = await SeedBench.StartAsync(FixtureRepository.Tiny, FixtureRepository.Nocomp);
        byte[] bundle = await bench.ExportAsync(SeedBench.All("tiny.example.org", "nocomp.example.org"));
        Assert.Equal(bundle, await bench.ExportAsync(SeedBench.All("nocomp.example.org", "tiny.example.org")));
        SeedFindings findings = await bench.VerifyAsync(bundle);
        Assert.True(findings.Index.Links > 0);

        using var web = new TemporaryDirectory();
        await TarFile.ExtractToDirectoryAsync(new MemoryStream(bundle), web.Path, overwriteFiles: false);
        await using ScriptedUpstream server = ScriptedUpstream.Start();
        server.ServeDirectory("tiny.example.org", web.Combine("cvmfs/tiny.example.org"));
        server.ServeDirectory("nocomp.example.org", web.Combine("cvmfs/nocomp.example.org"));
        Dictionary<ObjectKey, int> copies = [];
        int names = 0;
        foreach (string file in Directory.EnumerateFiles(web.Combine("cvmfs"), "*", SearchOption.AllDirectories))
        {
            string[] parts = Path.GetRelativePath(web.Path, file).Split('/', 3);
            if (!SeedPath.TryParseObject(parts[2], out ObjectKey key))
            {
                continue;
            }

            names++;
            RawResponse served = await RawHttpClient.GetOnceAsync(server.EndPoint, $"/{string.Join('/', parts)}");
            Assert.True(key.DigestEquals(ObjectHasher.Hash(key.Algorithm, served.Body)), file);
            copies[key] = copies.GetValueOrDefault(key) + 1;
        }

        Assert.Equal(findings.Index.Objects, copies.Count);
        Assert.Equal(findings.Index.Objects + findings.Index.Links, names);

        await using ProxyUnderTest lab = await bench.StartOfflineAsync();
        SeedImporter importer = lab.Services.GetRequiredService<SeedImporter>();
        await importer.ImportAsync(new TreeSource(new DirectoryInfo(web.Path), new SeedLimits(1 << 30)), null, null, default);
        Assert.Equal(200, (await lab.GetAsync("/cvmfs/tiny.example.org/.cvmfspublished")).Status);
    }

    [Fact]
    public async Task Tree_OfAStratum1_IsImportedWithTheTagsThatItCanBoot()
    {
        FixtureRepository tiny = FixtureRepository.Tiny;
        await using SeedBench bench = await SeedBench.StartAsync(tiny);
        using var disk = new TemporaryDirectory();
        tiny.WriteTo(disk.Path);
        await using ProxyUnderTest lab = await bench.StartOfflineAsync();
        SeedImportResult result = await lab.Services.GetRequiredService<SeedImporter>()
            .ImportAsync(new TreeSource(new DirectoryInfo(disk.Path), new SeedLimits(1 << 30)), "tree", null, default);
        Assert.Contains(result.Record.Repositories.Single().Snapshots, snapshot => snapshot.Tag.Length == 0);
        Assert.Contains(result.Record.Repositories.Single().Snapshots, snapshot => snapshot.Tag.Length > 0);
    }

    [Fact]
    public async Task Since_AnEarlierBundle_CarriesOnlyWhatIsNewAndNeedsTheEarlierOne()
    {
        FixtureRepository minios = FixtureRepository.MiniOs;
        await using SeedBench bench = await SeedBench.StartAsync(minios);
        byte[] first = await bench.ExportAsync(OrderOf(minios, SeedPathList.Read("/cvm4/etc/**\n", [minios.Fqrn]).Value!));
        var keys = new SeedKeys();
        var reader = new SeedReader(new MemoryStream(first), new SeedLimits(1 << 30));
        await reader.ReadIndexAsync(default);
        await reader.ReadContentAsync(keys, default);
        byte[] second = await bench.ExportAsync(BootOrder(minios) with { Since = keys.Keys, Name = "second" });
        Assert.True(second.Length < first.Length + (await bench.ExportAsync(BootOrder(minios))).Length);
        Assert.True((await bench.VerifyAsync(second)).Index.Inherited > 0);
        byte[] whole = await bench.ExportAsync(SeedBench.All(minios.Fqrn) with { Since = keys.Keys });
        Assert.True((await bench.VerifyAsync(whole)).Index.Inherited > 0);

        await using ProxyUnderTest lab = await bench.StartOfflineAsync();
        await Assert.ThrowsAsync<SeedRefusedException>(() => SeedBench.ImportAsync(lab, second));
        await SeedBench.ImportAsync(lab, first);
        await SeedBench.ImportAsync(lab, second);
        foreach (string url in FixtureRepository.BootRequests(2))
        {
            Assert.Equal(200, (await lab.GetAsync(url)).Status);
        }
    }

    [Fact]
    public async Task Import_ASmallerSeedOfTheSameName_WarnsOfWhatIsNoLongerPinned()
    {
        FixtureRepository minios = FixtureRepository.MiniOs;
        await using SeedBench bench = await SeedBench.StartAsync(minios);
        await using ProxyUnderTest lab = await bench.StartOfflineAsync();
        SeedImportResult boot = await SeedBench.ImportAsync(lab, await bench.ExportAsync(BootOrder(minios)), "lab");
        SeedImportResult whitelist = await SeedBench.ImportAsync(
            lab, await bench.ExportAsync(new SeedOrder { Repositories = [minios.Fqrn], Scope = "all", WhitelistOnly = true }), "lab");

        Assert.Empty(boot.Warnings);
        Assert.Contains($"{boot.Record.Objects - 1} of its objects are no longer pinned", Assert.Single(whitelist.Warnings),
            StringComparison.Ordinal);
    }

    // A second bundle of a repository has the name of the first, and took its place without a word.
    [Fact]
    public async Task Import_ALargerSeedOfTheSameName_SaysThatTheOtherIsReplaced()
    {
        FixtureRepository minios = FixtureRepository.MiniOs;
        await using SeedBench bench = await SeedBench.StartAsync(minios);
        await using ProxyUnderTest lab = await bench.StartOfflineAsync();
        SeedImportResult boot = await SeedBench.ImportAsync(lab, await bench.ExportAsync(BootOrder(minios)));
        byte[] bundle = await bench.ExportAsync(SeedBench.All(minios.Fqrn) with { Tags = ["HEAD4"] });

        SeedImportResult all = await SeedBench.ImportAsync(lab, bundle);

        Assert.Equal("minios.example.org-HEAD4", boot.Record.Name);
        Assert.Equal(["A seed minios.example.org-HEAD4 was there before: it is replaced by this one, which has all of its objects."],
            all.Warnings);
        Assert.Empty((await SeedBench.ImportAsync(lab, bundle)).Warnings);
        Assert.Empty((await SeedBench.ImportAsync(lab, bundle, "other")).Warnings);
        Assert.Equal(2, lab.Services.GetRequiredService<SeedRegistry>().List().Count);
    }

    [Fact]
    public async Task WhitelistOnly_IsAFewKilobytesAndImports()
    {
        FixtureRepository minios = FixtureRepository.MiniOs;
        await using SeedBench bench = await SeedBench.StartAsync(minios);
        byte[] bundle = await bench.ExportAsync(new SeedOrder { Repositories = [minios.Fqrn], Scope = "all", WhitelistOnly = true });
        Assert.True(bundle.Length < 20_000, $"{bundle.Length} bytes");
        await using ProxyUnderTest lab = await bench.StartOfflineAsync();
        await SeedBench.ImportAsync(lab, await bench.ExportAsync(BootOrder(minios)));
        await SeedBench.ImportAsync(lab, bundle);
        Assert.Equal(2, lab.Services.GetRequiredService<SeedRegistry>().List().Count);
    }

    [Fact]
    public async Task Revision_WithoutATag_IsRefusedWithTheReason()
    {
        FixtureRepository minios = FixtureRepository.MiniOs;
        await using SeedBench bench = await SeedBench.StartAsync(minios);
        SeedExportException refused = await Assert.ThrowsAsync<SeedExportException>(
            () => bench.ExportAsync(SeedBench.All(minios.Fqrn) with { Revision = 777 }));
        Assert.Contains("only signed manifest is the current one", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OlderManifest_AfterANewerOne_PinsItsObjectsAndNeverLowersTheRevision()
    {
        FixtureRepository minios = FixtureRepository.MiniOs;
        await using SeedBench bench = await SeedBench.StartAsync(minios);
        byte[] newer = await bench.ExportAsync(BootOrder(minios));
        bench.Upstream.Put(minios.UrlPath(".cvmfspublished"), FixtureRepository.ReadFixtureFile("minios/cvmfspublished.v1"));
        await using SeedBench old = await SeedBench.StartAsync(minios);
        old.Upstream.Put(minios.UrlPath(".cvmfspublished"), FixtureRepository.ReadFixtureFile("minios/cvmfspublished.v1"));
        byte[] older = await old.ExportAsync(SeedBench.All(minios.Fqrn) with { Name = "older" });

        await using ProxyUnderTest lab = await bench.StartOfflineAsync();
        await SeedBench.ImportAsync(lab, newer);
        byte[] served = (await lab.GetAsync(minios.UrlPath(".cvmfspublished"))).Body;
        await SeedBench.ImportAsync(lab, older);
        Assert.Equal(served, (await lab.GetAsync(minios.UrlPath(".cvmfspublished"))).Body);
        foreach (string url in FixtureRepository.BootRequests(1).Where(url => url.Contains("/data/", StringComparison.Ordinal)))
        {
            Assert.Equal(200, (await lab.GetAsync(url)).Status);
        }
    }

    [Fact]
    public async Task MasterKey_ThatTheSiteGetsAfterTheImport_DecidesFromTheNextStartOn()
    {
        FixtureRepository minios = FixtureRepository.MiniOs;
        await using SeedBench bench = await SeedBench.StartAsync(minios);
        byte[] bundle = await bench.ExportAsync(BootOrder(minios));
        string key = bench.KeysDirectory + "/minios.example.org.pub";
        File.Delete(key);
        await using ProxyUnderTest lab = await bench.StartOfflineAsync();
        Assert.False((await SeedBench.ImportAsync(lab, bundle)).Record.Repositories.Single().IsVerified);
        Assert.Equal(200, (await lab.GetAsync(minios.UrlPath(".cvmfspublished"))).Status);
        Assert.False(Status().Pair!.IsVerified);

        File.Copy(FixtureRepository.Tiny.MasterKeyPath, key);
        await lab.RestartAsync();
        Assert.Equal(404, (await lab.GetAsync(minios.UrlPath(".cvmfspublished"))).Status);
        await Assert.ThrowsAsync<SeedRefusedException>(() => SeedBench.ImportAsync(lab, bundle, "again"));

        File.Copy(minios.MasterKeyPath, key, overwrite: true);
        await lab.RestartAsync();
        Assert.Equal(200, (await lab.GetAsync(minios.UrlPath(".cvmfspublished"))).Status);
        Assert.True(Status().Pair!.IsVerified);

        RepositoryStatus Status() =>
            lab.Services.GetRequiredService<SignedDocuments>().Repositories
                .Single(status => status.Repository.Fqrn.ToString() == minios.Fqrn);
    }

    [Fact]
    public async Task Remove_ASeed_UnpinsIt()
    {
        FixtureRepository tiny = FixtureRepository.Tiny;
        await using SeedBench bench = await SeedBench.StartAsync(tiny);
        await using ProxyUnderTest lab = await bench.StartOfflineAsync();
        await SeedBench.ImportAsync(lab, await bench.ExportAsync(SeedBench.All(tiny.Fqrn)), "lab1");
        var pins = lab.Services.GetRequiredService<Breakwater.CacheStore.Pins.PinSets>();
        Assert.Contains(pins.List(), set => set.Name == "seed:lab1");
        Assert.True(lab.Services.GetRequiredService<SeedRegistry>().Remove("lab1"));
        Assert.Empty(pins.List());
        Assert.Empty(lab.Services.GetRequiredService<SeedRegistry>().List());
    }

    private static SeedOrder BootOrder(FixtureRepository minios) =>
        OrderOf(minios, SeedPathList.Read(string.Join('\n', FixtureRepository.BootRequests(2)), [minios.Fqrn]).Value!);

    private static SeedOrder OrderOf(FixtureRepository repository, SeedPathList paths) => new()
    {
        Repositories = [repository.Fqrn],
        Tags = ["HEAD4"],
        Scope = "paths",
        WorkingSet = fqrn => paths.ToSet(fqrn, ["HEAD4"]),
    };
}
