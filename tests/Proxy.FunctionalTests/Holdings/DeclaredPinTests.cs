using Breakwater.CacheStore.Pins;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Holdings;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.Holdings;

/// <summary><c>Pins</c> in the settings of the real proxy: at the start, at a reload, while the process is down.</summary>
public sealed class DeclaredPinTests : IAsyncLifetime
{
    private const string Fqrn = "minios.example.org";
    private const string Pin = "declared/" + Fqrn + "/boot";
    private const string ByCommand = "warm/" + Fqrn + "/mine";

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly TemporaryDirectory _keys = new();
    private readonly ScriptedUpstream _stratum1 = ScriptedUpstream.Serving(FixtureRepository.MiniOs);
    private ProxyUnderTest _proxy = null!;

    public async Task InitializeAsync()
    {
        File.Copy(FixtureRepository.MiniOs.MasterKeyPath, _keys.Combine(Fqrn + ".pub"));
        Publish(1);
        _proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>(Everything) { ["Repositories:KeysDirectory"] = _keys.Path }, _time, _stratum1);
        await DoneAsync();
    }

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _stratum1.DisposeAsync();
        _keys.Dispose();
    }

    [Fact]
    public async Task Pin_TakenOutWhileTheProcessIsDown_IsGoneAtItsNextStart_WhatACommandPinnedStays()
    {
        await Waiting.UntilAsync(() => // counted once the store has committed them
            _proxy.Store.Pins.List() is [{ Name: Pin, Objects: > 10 } pin] && pin.PresentObjects == pin.Objects);
        _proxy.Store.Pins.Put(ByCommand, [FixtureRepository.MiniOs.Objects.Keys.First()]);

        await _proxy.RestartAsync(NoPin);

        Assert.Equal([ByCommand], _proxy.Store.Pins.Names);
        Assert.Empty(Declared.All);
    }

    [Fact]
    public async Task Pin_ChangedAndTakenOutByReloads_FollowsTheSettings()
    {
        int all = _proxy.Store.Pins.Keys(Pin)!.Count;

        _proxy.Change(new Dictionary<string, string?> { ["Pins:boot:All"] = null, ["Pins:boot:Paths:0"] = "/cvm4/.ucernvm_pinfiles" });
        await Waiting.UntilAsync(() => _proxy.Store.Pins.Keys(Pin)?.Count < all);
        _proxy.Change(new Dictionary<string, string?>
        {
            ["Pins:boot:Repository"] = null,
            ["Pins:boot:Paths:0"] = null,
            ["Pins:other:Repository"] = Fqrn,
            ["Pins:other:All"] = "true",
        });
        await Waiting.UntilAsync(() => _proxy.Store.Pins.Names is ["declared/" + Fqrn + "/other"]);
    }

    [Fact]
    public async Task Pin_OfTheSameSettingsAgain_AsksNobodyAndChangesNothing()
    {
        IReadOnlyList<CacheStore.ObjectKey> before = _proxy.Store.Pins.Keys(Pin)!;
        int asked = _stratum1.ObjectRequestCount;

        await _proxy.RestartAsync();
        await DoneAsync();

        Assert.Equal(before.ToHashSet(), _proxy.Store.Pins.Keys(Pin)!.ToHashSet());
        Assert.Equal(asked, _stratum1.ObjectRequestCount);
    }

    [Fact]
    public async Task Pin_WhenANewRevisionIsPublished_FollowsIt()
    {
        HashSet<CacheStore.ObjectKey> before = [.. _proxy.Store.Pins.Keys(Pin)!];
        Publish(2);

        await Waiting.UntilAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(62));
            return !before.SetEquals(_proxy.Store.Pins.Keys(Pin)!);
        });
    }

    [Fact]
    public async Task Pin_ThatCannotBeMet_IsAFinding_AndIsMetWhenItCan()
    {
        _proxy.Change(new Dictionary<string, string?>
        {
            ["Pins:late:Repository"] = Fqrn,
            ["Pins:late:Tag"] = "no-such-tag",
            ["Pins:late:All"] = "true",
        });
        const string Expected = "Pins:late: The repository has no tag 'no-such-tag'";
        await Waiting.UntilAsync(() => Findings().Any(text => text.StartsWith(Expected, StringComparison.Ordinal)));
        Assert.Equal([Pin], _proxy.Store.Pins.Names);

        _proxy.Change(new Dictionary<string, string?> { ["Pins:late:Tag"] = null });
        await DoneAsync();

        Assert.Empty(Findings());
        Assert.Equal(2, _proxy.Store.Pins.Names.Count);
    }

    [Fact]
    public async Task Pin_ThatHasNoRoom_IsAFinding_WithTheSettingToRaise()
    {
        await _proxy.RestartAsync(new Dictionary<string, string?>(NoPin) { ["Store:QuotaBytes"] = "67108864" });
        int most = (int)_proxy.Store.Pins.MaxBytes;
        SyntheticObject[] others = [new(16_000_000, 1), new(16_000_000, 2), new(most - 33_000_000, 3)];
        foreach (SyntheticObject other in others)
        {
            Assert.Equal(200, (await _proxy.GetAsync(other.On(_stratum1).Path)).Status);
        }

        await Waiting.UntilAsync(() => _proxy.Store.Pins.Put(ByCommand, [.. others.Select(other => other.Key)]) == PinResult.Pinned
            && _proxy.Store.Pins.Bytes == most - 1_000_000);
        _proxy.Change(new Dictionary<string, string?>(Everything));

        await Waiting.UntilAsync(() => Findings() is [var text]
            && text.StartsWith($"Pins:boot: more than {most} bytes would be pinned. Raise Store:QuotaBytes", StringComparison.Ordinal));
        Assert.Equal([ByCommand], _proxy.Store.Pins.Names);
    }

    [Fact]
    public async Task PinRemove_OfADeclaredPin_SaysWhereItIsDeclared_AndStatusShowsIt()
    {
        using var client = new AdminClient(_proxy.Services.GetRequiredService<BreakwaterSettings>());
        AdminException refused = await Assert.ThrowsAsync<AdminException>(() =>
            client.DeleteAsync<PinSet>($"pins?name={Uri.EscapeDataString(Pin)}", default));
        ServerStatus status = await client.GetAsync<ServerStatus>("status", default);

        Assert.Contains("Take it out of Pins: boot", refused.Message, StringComparison.Ordinal);
        Assert.Equal([Pin], _proxy.Store.Pins.Names);
        Assert.Equal(new Declared("Pins:boot", DeclaredState.Done, null), Assert.Single(status.Declared));
    }

    private static Dictionary<string, string?> Everything => new() { ["Pins:boot:Repository"] = Fqrn, ["Pins:boot:All"] = "true" };

    private static Dictionary<string, string?> NoPin => new() { ["Pins:boot:Repository"] = null, ["Pins:boot:All"] = null };

    private Declarations Declared => _proxy.Services.GetRequiredService<Declarations>();

    private Task DoneAsync() =>
        Waiting.UntilAsync(() => Declared.All.All(one => one.State == DeclaredState.Done) && Declared.All.Count > 0);

    private string[] Findings() =>
        [.. _proxy.Services.GetRequiredService<Health>().Check().Findings.Where(f => f.Name == "declared-state").Select(f => f.Text)];

    private void Publish(int revision) => _stratum1.Put(
        $"/cvmfs/{Fqrn}/.cvmfspublished", FixtureRepository.ReadFixtureFile($"minios/cvmfspublished.v{revision}"));
}
