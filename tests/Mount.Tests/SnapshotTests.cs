using Breakwater.CacheStore;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Mount.Tests;

/// <summary>Which root catalog a mount shows: what the signed documents say, and a sentence where they do not.</summary>
public sealed class SnapshotTests : IAsyncLifetime
{
    private readonly FixtureRepository _repository = FixtureRepository.MiniOs;
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero));
    private ScriptedUpstream _first = null!;
    private ScriptedUpstream _second = null!;
    private Manifest _manifest = null!;
    private MasterKeys _keys = null!;

    public Task InitializeAsync()
    {
        _first = ScriptedUpstream.Serving(_repository);
        _second = ScriptedUpstream.Serving(_repository);
        _manifest = Manifest.Parse(_repository.Files[".cvmfspublished"]).Value!;
        Directory.CreateDirectory(_directory.Combine("keys"));
        File.Copy(_repository.MasterKeyPath, _directory.Combine("keys", _repository.Fqrn + ".pub"));
        _keys = MasterKeys.Load(_directory.Combine("keys"));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        _directory.Dispose();
        await _first.DisposeAsync();
        await _second.DisposeAsync();
    }

    [Fact]
    public async Task Resolve_OfTheTrunk_IsWhatTheManifestSays()
    {
        Assert.Equal((_manifest.RootCatalog, _manifest.Revision, null), await ResolveAsync());
        Assert.Empty(_second.Requests);
    }

    [Fact]
    public async Task Resolve_OfATag_IsWhatTheHistorySays()
    {
        ObjectKey history = _manifest.History!.Value;
        Tag tag = (await History.ReadAsync(new MemoryStream(_repository.Objects[history]), CatalogLimits.Default)).Value!.Find("v1")!;
        Assert.NotEqual(_manifest.RootCatalog, tag.RootCatalog);
        Assert.Equal((tag.RootCatalog, tag.Revision, null), await ResolveAsync("v1"));
        Assert.Equal((default, 0UL, "there is no tag 'v17'"), await ResolveAsync("v17"));
        _first.Put(_repository.UrlPath(history), null);
        _second.Put(_repository.UrlPath(history), null);
        Assert.Equal((default, 0UL, "the repository's tags cannot be had"), await ResolveAsync("v1"));
    }

    [Theory]
    [InlineData(".cvmfspublished", ".cvmfspublished: status 404")]
    [InlineData(".cvmfswhitelist", ".cvmfswhitelist: status 404")]
    public async Task Resolve_WhereADocumentIsMissing_TakesTheNextWayOrSaysWhatIs(string document, string expected)
    {
        _first.Put(_repository.UrlPath(document), null);
        Assert.Equal((_manifest.RootCatalog, _manifest.Revision, null), await ResolveAsync());
        _second.Put(_repository.UrlPath(document), null);
        Assert.Equal(
            (default, 0UL, $"{_second.Address}cvmfs/{_repository.Fqrn} by no proxy: {expected}"), await ResolveAsync());
    }

    [Theory]
    [InlineData("malformed manifest", "Manifest: ")]
    [InlineData("malformed whitelist", "Whitelist: ")]
    [InlineData("no certificate", "is not at hand.")]
    public async Task Resolve_WhereNothingProvesTheManifest_IsRefused(string what, string expected)
    {
        foreach (ScriptedUpstream server in (ScriptedUpstream[])[_first, _second])
        {
            (string path, byte[]? bytes) = what switch
            {
                "malformed manifest" => (".cvmfspublished", "x"u8.ToArray()),
                "malformed whitelist" => (".cvmfswhitelist", "x"u8.ToArray()),
                _ => (_manifest.Certificate!.Value.ToPath(), null),
            };
            server.Put(_repository.UrlPath(path), bytes);
        }

        (_, _, string? problem) = await ResolveAsync();
        Assert.Contains(expected, problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Resolve_WithoutAKey_IsRefusedUnlessItIsToldNotToVerify()
    {
        _keys = MasterKeys.None;
        (_, _, string? problem) = await ResolveAsync();
        Assert.Contains("No master key is configured", problem, StringComparison.Ordinal);
        Assert.Equal((_manifest.RootCatalog, _manifest.Revision, null), await ResolveAsync(isInsecure: true));
    }

    [Fact]
    public async Task Resolve_WithoutVerifying_StillWantsTheManifestOfThatName()
    {
        byte[] other = FixtureRepository.Tiny.Files[".cvmfspublished"];
        _first.Put(_repository.UrlPath(".cvmfspublished"), other);
        Assert.Equal((_manifest.RootCatalog, _manifest.Revision, null), await ResolveAsync(isInsecure: true));
        _second.Put(_repository.UrlPath(".cvmfspublished"), other);
        (_, _, string? problem) = await ResolveAsync(isInsecure: true);
        Assert.EndsWith("the manifest is that of 'tiny.example.org'", problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Resolve_OnceTheWhitelistHasExpired_IsRefused()
    {
        _time.SetUtcNow(new DateTimeOffset(2046, 12, 1, 0, 0, 0, TimeSpan.Zero));
        (_, _, string? problem) = await ResolveAsync();
        Assert.Contains("The whitelist expired at 2046-", problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Resolve_WithoutAServer_SaysSo() =>
        Assert.Equal((default, 0UL, "no server is configured"), await ResolveAsync(servers: ""));

    private async Task<(ObjectKey Root, ulong Revision, string? Problem)> ResolveAsync(
        string tag = "", bool isInsecure = false, string? servers = null)
    {
        servers ??= $"{_first.Address};{_second.Address}";
        using var downloads = new Downloads(new Routes(Routes.Parse(_repository.Fqrn, servers, ""), _time), _time);
        var source = new ObjectSource(downloads, _directory.Path, TimeSpan.Zero, _time, _ => { });
        var limits = new CatalogLimits { TemporaryDirectory = _directory.Path };
        return await new Snapshot(_repository.Fqrn, _keys, downloads, source, limits, _time).ResolveAsync(tag, isInsecure).InTimeAsync();
    }
}
