using Breakwater.CacheStore;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Seeding;

/// <summary>Bundles whose index and digests were made anew around a lie: what is signed, hashed or promised must find it.</summary>
public sealed class ConsistentLieTests
{
    private static readonly Dictionary<string, Action<BundleForge>> s_lies = new()
    {
        ["another valid object of the same size, contents digest as before"] = forge =>
        {
            int at = LastFile(forge);
            forge.Objects[at] = BundleForge.Stranger(Fqrn, forge.Objects[at].Bytes!.Length);
            forge.KeepsContents = true;
        },
        ["another valid object of the same size"] = forge =>
        {
            int at = LastFile(forge);
            forge.Objects[at] = BundleForge.Stranger(Fqrn, forge.Objects[at].Bytes!.Length);
        },
        ["an object's bytes changed"] = forge => forge.Objects[LastFile(forge)].Bytes![0] ^= 1,
        ["a catalog's bytes changed"] = forge => forge.Objects[forge.Objects.FindIndex(item => item.Name.EndsWith('C'))].Bytes![0] ^= 1,
        ["the certificate's bytes changed"] = forge =>
            forge.Objects[forge.Objects.FindIndex(item => item.Name.EndsWith('X'))].Bytes![0] ^= 1,
        ["an object left out"] = forge => forge.Objects.RemoveAt(LastFile(forge)),
        ["a catalog left out"] = forge => forge.Objects.RemoveAt(forge.Objects.FindIndex(item => item.Name.EndsWith('C'))),
        ["the certificate left out"] = forge => forge.Objects.RemoveAt(forge.Objects.FindIndex(item => item.Name.EndsWith('X'))),
        ["two objects' bytes swapped"] = forge =>
        {
            int at = LastFile(forge);
            int other = forge.Objects.FindIndex(item => item.Bytes is not null && KindOf(item.Name) == 0);
            Assert.NotEqual(at, other);
            (forge.Objects[at], forge.Objects[other]) =
                (forge.Objects[at] with { Bytes = forge.Objects[other].Bytes },
                forge.Objects[other] with { Bytes = forge.Objects[at].Bytes });
        },
        ["an object cut by a byte"] = forge => forge.Objects[LastFile(forge)] = forge.Objects[LastFile(forge)]
            with
        { Bytes = forge.Objects[LastFile(forge)].Bytes![..^1] },
        ["an object with a byte more"] = forge => forge.Objects[LastFile(forge)] = forge.Objects[LastFile(forge)]
            with
        { Bytes = [.. forge.Objects[LastFile(forge)].Bytes!, 0] },
        ["a newer revision in the index"] = forge => forge.Say(repository => repository with { Revision = repository.Revision + 1 }),
        ["a longer whitelist in the index"] = forge =>
            forge.Say(repository => repository with { WhitelistExpires = repository.WhitelistExpires.AddYears(1) }),
        ["a snapshot under a tag that is not there"] = forge => forge.SayOfSnapshots(snapshot => snapshot with { Tag = "mine" }),
        ["a snapshot of another revision"] = forge => forge.SayOfSnapshots(snapshot => snapshot with { Revision = snapshot.Revision + 1 }),
        ["a snapshot of another root catalog"] = forge =>
            forge.SayOfSnapshots(snapshot => snapshot with { RootCatalog = "00000000000000000000000000000000000000ffC" }),
        ["objects inherited that no list names"] = forge => forge.Index = forge.Index with { Inherited = 3 },
        ["a newer revision in the manifest"] = forge => forge.Edit(".cvmfspublished", "\nS", "\nS9"),
        ["another name in the manifest"] = forge => forge.Edit(".cvmfspublished", Fqrn, "evil.example.org"),
        ["a longer whitelist"] = forge => forge.Edit(".cvmfswhitelist", "\nE20", "\nE21"),
        ["no whitelist"] = forge =>
            forge.Documents.RemoveAll(document => document.Name.EndsWith(".cvmfswhitelist", StringComparison.Ordinal)),
        ["no manifest"] = forge =>
            forge.Documents.RemoveAll(document => document.Name.EndsWith(".cvmfspublished", StringComparison.Ordinal)),
    };

    private static string Fqrn => FixtureRepository.Tiny.Fqrn;

    public static TheoryData<string> Lies => [.. s_lies.Keys];

    [Fact]
    public async Task Bundle_PutTogetherAgainWithoutALie_IsTheSame()
    {
        await using SeedBench bench = await SeedBench.StartAsync(FixtureRepository.Tiny);
        byte[] bundle = await bench.ExportAsync(SeedBench.All(Fqrn));

        Assert.Equal(bundle, await BundleForge.Open(bundle).MakeAsync());
    }

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task Bundle_ConsistentAroundALie_IsRefusedAndNothingBecomesVisible(string lie)
    {
        await using SeedBench bench = await SeedBench.StartAsync(FixtureRepository.Tiny);
        var forge = BundleForge.Open(await bench.ExportAsync(SeedBench.All(Fqrn)));
        s_lies[lie](forge);
        byte[] bundle = await forge.MakeAsync();
        await using ProxyUnderTest lab = await bench.StartOfflineAsync();

        await Assert.ThrowsAsync<SeedRefusedException>(() => bench.VerifyAsync(bundle));
        SeedRefusedException refused = await Assert.ThrowsAsync<SeedRefusedException>(() => SeedBench.ImportAsync(lab, bundle));

        Assert.NotEmpty(refused.Entry);
        Assert.Empty(lab.Services.GetRequiredService<SeedRegistry>().List());
        Assert.Empty(lab.Services.GetRequiredService<Breakwater.CacheStore.Pins.PinSets>().List());
        Assert.Equal(404, (await lab.GetAsync(FixtureRepository.Tiny.UrlPath(".cvmfspublished"))).Status);
    }

    private static int LastFile(BundleForge forge) =>
        forge.Objects.FindLastIndex(item => item.Bytes is { Length: > 0 } && KindOf(item.Name) == 0);

    private static ObjectKind? KindOf(string name) => SeedPath.TryParse(name, out SeedPath? path) ? path.Value.Key.Kind : null;
}
