using Breakwater.Proxy.Commands.Publish.Keys;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Proxy.Commands.Publish.Revisions;

namespace Breakwater.Proxy.FunctionalTests.Publishing;

/// <summary>Which whitelist a repository shows, and what a check of it says.</summary>
public sealed class RevisionRulesTests : IDisposable
{
    private static readonly TimeSpan s_validity = TimeSpan.FromDays(100);

    private readonly PublishBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(51, false)]
    [InlineData(50, false)]         // just half of its time is left
    [InlineData(49, true)]
    public void Whitelist_OfWhomTheMasterKeyIsHere_IsSignedAnewInTheSecondHalf(int daysLeft, bool isNew)
    {
        DateTimeOffset now = WholeSecond();
        using RepositoryFolder folder = RepositoryFolder.Open(_bench.Output, PublishBench.Fqrn);
        byte[] shown = Sign(now, daysLeft);
        folder.Write(RepositoryFolder.Whitelist, shown);
        File.Delete(_bench.Keys.WhitelistPath);

        byte[] chosen = WhitelistRenewal.Choose(folder, _bench.Keys, s_validity, now);

        Assert.Equal(isNew ? now + s_validity : now.AddDays(daysLeft), WhitelistRenewal.ExpiryOf(chosen));
        Assert.Equal(!isNew, chosen.AsSpan().SequenceEqual(shown));
    }

    [Theory]
    [InlineData(10, 20, 20)]
    [InlineData(20, 10, 20)]
    [InlineData(10, 0, 10)]         // none was brought
    [InlineData(0, 10, 10)]         // none is shown
    [InlineData(-1, 10, 10)]        // over
    public void Whitelist_WithoutTheMasterKey_IsTheOneThatLastsLongest(int shown, int brought, int expected)
    {
        DateTimeOffset now = WholeSecond();
        using RepositoryFolder folder = RepositoryFolder.Open(_bench.Output, PublishBench.Fqrn);
        File.Delete(_bench.Keys.WhitelistPath);
        if (shown != 0)
        {
            folder.Write(RepositoryFolder.Whitelist, Sign(now.AddDays(-10), shown + 10));
        }

        if (brought != 0)
        {
            File.WriteAllBytes(_bench.Keys.WhitelistPath, Sign(now.AddDays(-10), brought + 10));
        }

        File.Delete(_bench.Keys.MasterPath);

        Assert.Equal(now.AddDays(expected), WhitelistRenewal.ExpiryOf(WhitelistRenewal.Choose(folder, _bench.Keys, s_validity, now)));
    }

    [Fact]
    public async Task Check_ByAnotherKeyOrAfterTheWhitelistsEnd_IsNotWhole()
    {
        using var stranger = new PublishBench(hasKeysOfItsOwn: true);
        _bench.Write("f", "text");
        await _bench.PublishAsync();

        Assert.Empty(await ProblemsAsync(_bench.Keys.ReadPublic(), _bench.Time.GetUtcNow()));
        Assert.Empty(await ProblemsAsync(null, _bench.Time.GetUtcNow().AddDays(999)));
        Assert.Single(await ProblemsAsync(stranger.Keys.ReadPublic(), _bench.Time.GetUtcNow()));
        Assert.Single(await ProblemsAsync("no key", _bench.Time.GetUtcNow()));
        Assert.Single(await ProblemsAsync(_bench.Keys.ReadPublic(), _bench.Time.GetUtcNow().AddDays(999)));
        File.AppendAllText(Path.Combine(_bench.Root, ".cvmfsreflog"), "x");
        Assert.Contains("reflog", Assert.Single(await ProblemsAsync(_bench.Keys.ReadPublic(), _bench.Time.GetUtcNow())),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publish_WithAnotherTtlOrTag_IsANewRevisionOfTheSameFiles()
    {
        _bench.Write("f", "text");
        Repositories.Manifest first = (await _bench.PublishAsync()).Manifest;

        Repositories.Manifest ttl = (await _bench.PublishAsync(request => request with { Ttl = TimeSpan.FromMinutes(9) })).Manifest;
        Repositories.Manifest tag =
            (await _bench.PublishAsync(request => request with { Ttl = TimeSpan.FromMinutes(9), Tag = "v1", Description = "it" })).Manifest;
        bool isNew = (await _bench.PublishAsync(request => request with { Ttl = TimeSpan.FromMinutes(9), Moves = ["v1"] })).IsNew;

        Assert.Equal((1UL, 2UL, 3UL, false), (first.Revision, ttl.Revision, tag.Revision, isNew));
        Assert.Equal((TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(9)), (first.Ttl, ttl.Ttl));
        Assert.Equal("it", (await _bench.CurrentAsync()).Resolve("v1").Description);
        await _bench.AssertWholeAsync();
    }

    /// <summary>Whitelists have whole seconds.</summary>
    private static DateTimeOffset WholeSecond() => DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds());

    private byte[] Sign(DateTimeOffset now, int days)
    {
        byte[] certificate = PublishKeys.DerOf(_bench.Keys.ReadCertificate(), _bench.Keys.CertificatePath);
        return _bench.Keys.SignWhitelist(_bench.Keys.ReadKey(_bench.Keys.MasterPath), [certificate], now, TimeSpan.FromDays(days));
    }

    private async Task<IReadOnlyList<string>> ProblemsAsync(string? key, DateTimeOffset now)
    {
        using RepositoryFolder folder = RepositoryFolder.Open(_bench.Output, PublishBench.Fqrn);
        return (await RepositoryCheck.RunAsync(folder, key, now, readsAll: false, CancellationToken.None)).Problems;
    }
}
