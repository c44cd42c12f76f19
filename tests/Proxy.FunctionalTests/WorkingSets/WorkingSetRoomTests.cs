using System.Net;
using System.Text.Json;
using Breakwater.CacheStore;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Snapshots;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.WorkingSets;

/// <summary>What the admin port answers about repositories and working sets, right and wrong questions.</summary>
public sealed class WorkingSetRoomTests : IAsyncLifetime
{
    private const string Name = "minios.example.org";
    private const string ManifestUrl = "/cvmfs/" + Name + "/.cvmfspublished";

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly TemporaryDirectory _keys = new();
    private readonly ScriptedUpstream _stratum1 = ScriptedUpstream.Serving(FixtureRepository.MiniOs, FixtureRepository.Tiny);
    private ProxyUnderTest _proxy = null!;
    private AdminClient _admin = null!;

    public async Task InitializeAsync()
    {
        File.Copy(FixtureRepository.MiniOs.MasterKeyPath, _keys.Combine(Name + ".pub"));
        Publish(1);
        _proxy = await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { ["Repositories:KeysDirectory"] = _keys.Path }, _time,
            _stratum1);
        _admin = new AdminClient(_proxy.Services.GetRequiredService<BreakwaterSettings>());
    }

    public async Task DisposeAsync()
    {
        _admin.Dispose();
        await _proxy.DisposeAsync();
        await _stratum1.DisposeAsync();
        _keys.Dispose();
    }

    [Fact]
    public async Task Repositories_WithAndWithoutAKey_SayHowFarTheyAreTrusted()
    {
        await _proxy.GetAsync(ManifestUrl);
        await _proxy.GetAsync($"/cvmfs/{FixtureRepository.Tiny.Fqrn}/.cvmfspublished");

        RepositoryView[] all = [.. (await _admin.GetAsync<RepositoryView[]>("repositories", default)).OrderBy(one => one.Repository)];

        Assert.Equal([(Name, "verified"), (FixtureRepository.Tiny.Fqrn, "unverified")], all.Select(one => (one.Repository, one.Trust)));
        Assert.Equal((1UL, null, null), (all[0].Revision, all[0].HeldRevision, all[0].LastRefusal));
        Assert.True(all[0].WhitelistExpiresAt > _time.GetUtcNow());
        Assert.InRange(all[0].CheckedAt!.Value, _time.GetUtcNow().AddSeconds(-1), _time.GetUtcNow().AddSeconds(1));
    }

    [Fact]
    public async Task Rollback_Allowed_LetsTheRepositoryGoBackOnce()
    {
        Publish(2);
        Assert.Equal(Manifest(2), (await _proxy.GetAsync(ManifestUrl)).Body);
        Publish(1);
        Assert.Equal(Manifest(2), await NextAsync());
        Assert.NotNull((await _admin.GetAsync<RepositoryView[]>("repositories", default)).Single().LastRefusal);

        JsonElement said = await _admin.PostAsync<JsonElement>($"repositories/{Name}/rollback?floor=1", null, default);

        Assert.Equal((Name, 1), (said.GetProperty("repository").GetString(), said.GetProperty("floor").GetInt32()));
        Assert.Equal(Manifest(1), await NextAsync());
    }

    [Fact]
    public async Task Names_OfObjects_AreThoseOfTheNewestRevision()
    {
        ObjectKey chunk = FixtureRepository.BootRequests(1)
            .Select(url => FixtureRepository.TryParseObjectPath(url.AsSpan()[$"/cvmfs/{Name}/".Length..], out ObjectKey key)
                ? key
                : default)
            .First(key => key.Kind == ObjectKind.Chunk);
        await AssertRefusedAsync(HttpStatusCode.Conflict, "No manifest", () => NamesAsync(Name, chunk.ToString()));
        await _proxy.GetAsync(ManifestUrl);

        Assert.Equal(["/cvm4/bin/busybox"], await NamesAsync(Name, chunk.ToString()));
        Assert.Empty(await NamesAsync(Name, new string('0', 40)));
        await AssertRefusedAsync(HttpStatusCode.BadRequest, "is not an object's name", () => NamesAsync(Name, "0123"));
        await AssertRefusedAsync(HttpStatusCode.NotFound, "is not in Repositories", () => NamesAsync("a.invalid", chunk.ToString()));
    }

    [Fact]
    public async Task Import_OfAList_NamesWhatIsNotThereAndNothingElse()
    {
        WorkingSetView all = await ImportAsync("all", "/cvm4/bin/busybox\n");
        WorkingSetView some = await ImportAsync("some", "/cvm4/bin/busybox\n/no/such/file\n");

        Assert.Equal((1, null, null, WorkingSetSource.Given), (all.Entries, all.Unmatched, all.SkippedLines, all.Source));
        Assert.Equal((2, null), (some.Entries, some.SkippedLines));
        Assert.Equal(["/no/such/file"], some.Unmatched);
        Assert.Equal(["all", "some"], (await _admin.GetAsync<WorkingSetView[]>("working-sets", default)).Select(set => set.Name).Order());
        Assert.Equal("all", (await _admin.GetAsync<JsonElement>($"working-sets/{Name}/all", default)).GetProperty("name").GetString());
        AdminException refused = await Assert.ThrowsAsync<AdminException>(() => ImportAsync("no", "/1\n/2\n/3"));
        Assert.Contains("is in minios.example.org: /1, /2, /3", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("…", refused.Message, StringComparison.Ordinal);
        await AssertRefusedAsync(HttpStatusCode.BadRequest, "/1, /2, /3, …", () => ImportAsync("no", "/1\n/2\n/3\n/4"));
        await AssertRefusedAsync(HttpStatusCode.NotFound, "has no working set 'none'", () =>
            _admin.GetAsync<JsonElement>($"working-sets/{Name}/none", default));
        await AssertRefusedAsync(HttpStatusCode.NotFound, "has no working set 'none'", () =>
            _admin.DeleteAsync<JsonElement>($"working-sets/{Name}/none", default));
        await AssertRefusedAsync(HttpStatusCode.NotFound, "is not in Repositories", () =>
            _admin.UploadAsync<JsonElement>("working-sets/a.invalid/x", new MemoryStream("/x"u8.ToArray()), default));
    }

    [Theory]
    [InlineData(null, null, null, null, HttpStatusCode.NotFound, "'minios.example.org' has no working set yet. Name --paths")]
    [InlineData("", "", null, null, HttpStatusCode.NotFound, "has no working set yet. Name --paths")]
    [InlineData("v1", null, null, null, HttpStatusCode.NotFound, "has no working set yet that could be fetched at tag 'v1'.")]
    [InlineData(null, "none", null, null, HttpStatusCode.NotFound, "'minios.example.org' has no working set 'none'.")]
    [InlineData(null, null, "", null, HttpStatusCode.BadRequest, "--paths names no path.")]
    [InlineData(null, null, "/bin/sh", "a/b", HttpStatusCode.BadRequest, "A pin's name has at most 100 characters")]
    public Task Warm_OfWhatCannotBe_SaysWhy(string? tag, string? set, string? path, string? name, HttpStatusCode status, string says) =>
        AssertRefusedAsync(status, says, () => WarmAsync(new WarmOrder(Name, tag, path is null ? null : [path], set, Name: name)));

    // 12: "has no working set yet. Name --paths or --all", and with --all "none of 1 Stratum 1s has it".
    [Fact]
    public async Task Warm_OfARepositoryThatNoStratum1Has_NamesIt()
    {
        const string Says = "No Stratum 1 of the cluster '";
        AdminException refused = await Assert.ThrowsAsync<AdminException>(() => WarmAsync(new WarmOrder("nosuch.example.org")));
        WarmReport report = await WarmAsync(new WarmOrder("nosuch.example.org", All: true));

        Assert.StartsWith(Says, refused.Message, StringComparison.Ordinal);
        Assert.Contains("has the repository 'nosuch.example.org'. Is its name right", refused.Message, StringComparison.Ordinal);
        Assert.StartsWith(Says, report.Problem, StringComparison.Ordinal);
        Assert.EndsWith("has the repository 'nosuch.example.org'.", report.Problem, StringComparison.Ordinal);
        Assert.Null(report.Pin);
    }

    [Fact]
    public async Task PinRemove_ByTheNameThatItWasGiven_LetsItGo()
    {
        WarmReport report = await WarmAsync(new WarmOrder(Name, null, ["/cvm4/bin/busybox"], Name: "busy"));

        JsonElement removed = await _admin.DeleteAsync<JsonElement>("pins?name=busy", default);

        Assert.Equal("warm/minios.example.org/busy", report.Pin);
        Assert.Equal(report.Pin, removed.GetProperty("name").GetString());
        await AssertRefusedAsync(HttpStatusCode.NotFound, "There is no pin 'busy'",
            () => _admin.DeleteAsync<JsonElement>("pins?name=busy", default));
    }

    [Theory]
    [InlineData(null, null, "warm/minios.example.org/newest")]
    [InlineData("v1", null, "warm/minios.example.org/v1")]
    [InlineData("v1", "mine", "warm/minios.example.org/mine")]
    [InlineData(null, "", "warm/minios.example.org/newest")]
    public async Task Warm_OfPaths_PinsThemUnderTheirName(string? tag, string? name, string pin)
    {
        WarmReport report = await WarmAsync(new WarmOrder(Name, tag, ["/cvm4/bin/busybox"], Name: name));

        Assert.Equal((true, null, 0), (report.IsDone, report.Problem, report.Failed));
        Assert.True(report.Total > 0);
        Assert.Equal(report.Total, report.Present + report.Fetched);
        await Waiting.UntilAsync(() => // counted once the store has committed them
            _proxy.Store.Pins.List().Any(one => one.Name == pin && one.Objects > 0 && one.PresentObjects == one.Objects));
    }

    private void Publish(int revision) => _stratum1.Put(ManifestUrl, Manifest(revision));

    private static byte[] Manifest(int revision) => FixtureRepository.ReadFixtureFile($"minios/cvmfspublished.v{revision}");

    /// <summary>What the proxy shows once it may look again.</summary>
    private async Task<byte[]> NextAsync()
    {
        _time.Advance(TimeSpan.FromSeconds(62));
        return (await _proxy.GetAsync(ManifestUrl)).Body;
    }

    private Task<string[]> NamesAsync(string repository, string key) =>
        _admin.GetAsync<string[]>($"repositories/{repository}/names/{key}", default);

    private Task<WorkingSetView> ImportAsync(string name, string list) => _admin.UploadAsync<WorkingSetView>(
        $"working-sets/{Name}/{name}", new MemoryStream(System.Text.Encoding.UTF8.GetBytes(list)), default);

    private async Task<WarmReport> WarmAsync(WarmOrder order)
    {
        WarmReport last = null!;
        await foreach (WarmReport report in _admin.StreamAsync<WarmReport>(HttpMethod.Post, "warm", order, default))
        {
            last = report;
        }

        return last;
    }

    private static async Task AssertRefusedAsync<T>(HttpStatusCode status, string says, Func<Task<T>> ask)
    {
        AdminException refused = await Assert.ThrowsAsync<AdminException>(ask);
        Assert.Equal(status, refused.Status);
        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
    }
}
