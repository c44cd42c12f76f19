using System.Net;
using System.Security.Cryptography;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;
using Breakwater.CacheStore.Pins;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;
using Breakwater.Proxy.Settings;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Seeding;

/// <summary>Seeds by the admin port, and in a store that is too small.</summary>
public sealed class SeedStoreTests
{
    [Fact]
    public async Task Admin_UploadListBootableRemove_Work()
    {
        FixtureRepository tiny = FixtureRepository.Tiny;
        await using SeedBench bench = await SeedBench.StartAsync(tiny);
        byte[] bundle = await bench.ExportAsync(SeedBench.All(tiny.Fqrn));
        await using ProxyUnderTest lab = await bench.StartOfflineAsync();
        using var client = new AdminClient(lab.Services.GetRequiredService<BreakwaterSettings>());

        byte[] damaged = [.. bundle];
        damaged[^20_000] ^= 1;
        AdminException refused =
            await Assert.ThrowsAsync<AdminException>(() =>
            client.UploadAsync<SeedImportResult>("seeds", new MemoryStream(damaged), default));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Contains("offset", refused.Message, StringComparison.Ordinal);
        Assert.Empty(await client.GetAsync<SeedRecord[]>("seeds", default));

        SeedImportResult result = await client.UploadAsync<SeedImportResult>("seeds?name=lab1", new MemoryStream(bundle), default);
        Assert.Equal("lab1", result.Record.Name);
        Assert.Equal("lab1", Assert.Single(await client.GetAsync<SeedRecord[]>("seeds", default)).Name);
        string bootable = Assert.Single(await client.GetAsync<string[]>("seeds/bootable", default));
        Assert.Contains("tiny.example.org trunk", bootable, StringComparison.Ordinal);
        Assert.Equal(bootable, Assert.Single((await client.GetAsync<ServerStatus>("status", default)).Bootable));
        string metrics = await new HttpClient().GetStringAsync(new Uri(client.Address, "/metrics"));
        Assert.Contains("breakwater_seed_first_boots_left_seconds{", metrics, StringComparison.Ordinal);
        Assert.Equal(200, (await lab.GetAsync(tiny.UrlPath(".cvmfspublished"))).Status);
        await client.DeleteAsync<object>("seeds/lab1", default);
        Assert.Empty(await client.GetAsync<SeedRecord[]>("seeds", default));
    }

    [Fact]
    public async Task Import_IntoAStoreThatIsTooSmall_SaysSoAndNothingIsVisible()
    {
        FixtureRepository tiny = FixtureRepository.Tiny;
        await using SeedBench bench = await SeedBench.StartAsync(tiny);
        byte[] bundle = await GenerateAsync(tiny, objects: 80, bytesEach: 1 << 20);
        await using ProxyUnderTest small = await bench.StartOfflineAsync(StoreOptions.MinQuotaBytes);
        SeedStoreException full = await Assert.ThrowsAsync<SeedStoreException>(() => SeedBench.ImportAsync(small, bundle));
        Assert.Contains("Store:QuotaBytes", full.Message, StringComparison.Ordinal);
        Assert.Empty(small.Services.GetRequiredService<SeedRegistry>().List());
        Assert.Empty(small.Services.GetRequiredService<PinSets>().List());
        Assert.Equal(404, (await small.GetAsync(tiny.UrlPath(".cvmfspublished"))).Status);

        await using ProxyUnderTest large = await bench.StartOfflineAsync(4 * StoreOptions.MinQuotaBytes);
        await SeedBench.ImportAsync(large, bundle);
        Assert.Equal(200, (await large.GetAsync(tiny.UrlPath(".cvmfspublished"))).Status);
    }

    /// <summary>A repository's trunk documents with generated objects.</summary>
    private static async Task<byte[]> GenerateAsync(FixtureRepository repository, int objects, int bytesEach)
    {
        Manifest manifest = Manifest.Parse(repository.Files[SeedPath.Manifest]).Value!;
        Dictionary<ObjectKey, byte[]> content =
            ((ObjectKey[])[manifest.Certificate!.Value, manifest.RootCatalog]).ToDictionary(key => key, key => repository.Objects[key]);
        var random = new Random(80);
        for (int i = 0; i < objects; i++)
        {
            byte[] bytes = new byte[bytesEach];
            random.NextBytes(bytes);
            content[new ObjectKey(ObjectHasher.Hash(DigestAlgorithm.Sha1, bytes), DigestAlgorithm.Sha1, 0)] = bytes;
        }

        ObjectKey[] keys = [.. content.Keys];
        Array.Sort(keys, SeedPath.Compare);
        (string Name, byte[] Bytes)[] documents =
            [.. ((string[])[SeedPath.Manifest, SeedPath.Whitelist]).Select(file =>
            (SeedPath.OfDocument(repository.Fqrn, file), repository.Files[file]))];
        var index = new SeedIndex
        {
            Format = SeedIndex.CurrentFormat,
            Name = "generated",
            Repositories =
                [new SeedRepository(repository.Fqrn, manifest.Revision,
                Whitelist.Parse(repository.Files[SeedPath.Whitelist]).Value!.ExpiresAt,
                [new SeedSnapshot("", manifest.Revision, manifest.RootCatalog.ToString(), "generated", false)])],
            Documents = [
                .. documents.Select(document =>
                    new SeedDocument(document.Name, document.Bytes.Length, Convert.ToHexStringLower(SHA256.HashData(document.Bytes))))],
            Objects = keys.Length,
            ObjectBytes = content.Values.Sum(bytes => (long)bytes.Length),
            Links = 0,
            Inherited = 0,
            Contents = Convert.ToHexStringLower(
                SHA256.HashData(
                [.. keys.SelectMany(key => SeedReader.ContentsLine(SeedPath.OfObject(repository.Fqrn, key), content[key].Length))])),
        };
        using var file = new MemoryStream();
        await using (var writer = new SeedWriter(file))
        {
            await writer.WriteIndexAsync(index.ToBytes(), default);
            foreach ((string name, byte[] bytes) in (IEnumerable<(string, byte[])>)[.. documents,
                .. keys.Select(key => (SeedPath.OfObject(repository.Fqrn, key), content[key]))])
            {
                await writer.WriteAsync(name, new MemoryStream(bytes), default);
            }
        }

        return file.ToArray();
    }
}
