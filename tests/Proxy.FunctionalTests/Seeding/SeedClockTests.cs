using System.Text;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Pins;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Tests.Repositories;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Seeding;

/// <summary>What is said of a seed: until when it boots, what an import replaced, and what it could not prove.</summary>
public sealed class SeedClockTests
{
    private static readonly FixtureRepository s_minios = FixtureRepository.MiniOs;

    [Fact]
    public async Task Lab_BeforeAndAfterTheWhitelistsEnd_SaysWhatBootsUntilWhen()
    {
        await using SeedBench bench = await SeedBench.StartAsync(s_minios);
        byte[] bundle = await bench.ExportAsync(SeedBench.All(s_minios.Fqrn));
        DateTimeOffset end = Whitelist.Parse(s_minios.Files[".cvmfswhitelist"]).Value!.ExpiresAt;
        SteppedTime time = new(TimeProvider.System);
        await using ProxyUnderTest lab = await StartAsync(bench.KeysDirectory, time);
        SeedStart start = lab.Services.GetRequiredService<SeedStart>();
        Assert.Empty(start.Statements());
        HealthFinding nothing = Assert.Single(start.Find()); // 15: "ready", and no word of offline
        Assert.Equal(("offline-without-seeds", HealthLevel.Degraded), (nothing.Name, nothing.Level));
        Assert.StartsWith("Proxy:Offline is set, so no Stratum 1 is asked, and no seed is imported", nothing.Text,
            StringComparison.Ordinal);

        time.SetWall(end - TimeSpan.FromDays(7) - TimeSpan.FromHours(1));
        Assert.Empty((await SeedBench.ImportAsync(lab, bundle)).Warnings);
        const string Snapshot = "minios.example.org trunk (revision 2, all; ";
        Assert.Equal([$"{Snapshot}first boots until {end:u}, reboots for ever)"], start.Statements());
        Assert.Empty(start.Find());

        time.SetWall(end - TimeSpan.FromDays(7));
        HealthFinding finding = Assert.Single(start.Find());
        Assert.Equal(("whitelist-expires", HealthLevel.Degraded), (finding.Name, finding.Level));
        Assert.StartsWith($"The whitelist of minios.example.org ends at {end:u}: ", finding.Text, StringComparison.Ordinal);

        time.SetWall(end - TimeSpan.FromMinutes(10));
        Assert.Equal([$"{Snapshot}first boots until {end:u}, reboots for ever)"], start.Statements());
        time.SetWall(end);
        Assert.Equal([$"{Snapshot}reboots only: the whitelist expired at {end:u})"], start.Statements());
        string warning = Assert.Single((await SeedBench.ImportAsync(lab, bundle)).Warnings);
        Assert.StartsWith($"The whitelist of minios.example.org expired at {end:u}: ", warning, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_OverAnotherSeedOrWithoutAKey_SaysSo()
    {
        FixtureRepository tiny = FixtureRepository.Tiny;
        await using SeedBench bench = await SeedBench.StartAsync(s_minios, tiny);
        byte[] first = await bench.ExportAsync(SeedBench.All(tiny.Fqrn));
        byte[] second = await bench.ExportAsync(SeedBench.All(s_minios.Fqrn));
        using var noKeys = new TemporaryDirectory();
        await using ProxyUnderTest lab = await StartAsync(noKeys.Path, TimeProvider.System);
        PinSets pins = lab.Services.GetRequiredService<PinSets>();

        SeedImportResult imported = await SeedBench.ImportAsync(lab, first, "lab");
        Assert.Equal((tiny.Fqrn, false), (imported.Record.Repositories.Single().Fqrn, imported.Record.Repositories.Single().IsVerified));
        string unverified = " is not verified by a key of this site: put its master key into Repositories:KeysDirectory to be sure "
            + "who signed it. It is judged by that key within seconds, without another import.";
        Assert.Equal([tiny.Fqrn + unverified], imported.Warnings);
        IReadOnlyList<ObjectKey> before = pins.Keys(PinName.OfSeed("lab").Text)!;
        Assert.Equal(before.Count, imported.NewObjects);

        imported = await SeedBench.ImportAsync(lab, first, "lab"); // the very same
        Assert.Equal((0, 1), (imported.NewObjects, imported.Warnings.Count));

        imported = await SeedBench.ImportAsync(lab, second, "lab");
        int gone = before.Except(pins.Keys(PinName.OfSeed("lab").Text)!).Count();
        Assert.Equal(
            [
                $"A seed lab was there before: it is replaced, and {gone} of its objects are no longer pinned. To have both, import "
                    + "that one again under another --name.",
                s_minios.Fqrn + unverified,
            ],
            imported.Warnings);
        Assert.Equal(s_minios.Fqrn, Assert.Single(lab.Services.GetRequiredService<SeedRegistry>().List()).Repositories.Single().Fqrn);

        byte[] renewal = await bench.ExportAsync(SeedBench.All(s_minios.Fqrn) with { WhitelistOnly = true });
        SeedRefusedException refused =
            await Assert.ThrowsAsync<SeedRefusedException>(async () => await SeedBench.ImportAsync(lab, await OfAnotherAsync(renewal)));
        Assert.Contains("renews a manifest signed by another certificate than that of revision", refused.Message, StringComparison.Ordinal);
        await SeedBench.ImportAsync(lab, renewal);
    }

    /// <summary>A renewal as another publisher signs it, who has taken the repository's name.</summary>
    private static async Task<byte[]> OfAnotherAsync(byte[] renewal)
    {
        using ForgedRepository other = new(s_minios.Fqrn);
        var forge = BundleForge.Open(renewal);
        for (int i = 0; i < forge.Documents.Count; i++)
        {
            string name = forge.Documents[i].Name;
            forge.Documents[i] = (name, name.EndsWith(SeedPath.Manifest, StringComparison.Ordinal)
                ? other.Own.SignManifest(other.ManifestText(811, other.OwnCertificate))
                : name.EndsWith(SeedPath.Whitelist, StringComparison.Ordinal)
                ? other.WhitelistOf("20200101000000", "20461101000000", other.OwnCertificate)
                : Encoding.ASCII.GetBytes(other.MasterKeyPem));
        }

        forge.Objects.Clear();
        forge.Objects.Add((other.CertificateUrl(other.OwnCertificate)[1..], other.OwnCertificate, null));
        forge.Say(repository =>
            repository with { Revision = 811, WhitelistExpires = new DateTimeOffset(2046, 11, 1, 0, 0, 0, TimeSpan.Zero) });
        return await forge.MakeAsync();
    }

    private static Task<ProxyUnderTest> StartAsync(string keys, TimeProvider time) => ProxyUnderTest.StartAsync(
        new Dictionary<string, string?>
        {
            ["Repositories:KeysDirectory"] = keys,
            ["Proxy:Offline"] = "true",
            ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = "http://127.0.0.1:9/",
        },
        time);
}
