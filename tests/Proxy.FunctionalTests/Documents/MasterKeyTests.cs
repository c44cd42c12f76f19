using System.Text;
using Breakwater.CacheStore.Documents;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Tests.Repositories;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.Documents;

/// <summary>Master keys and whitelists that change under documents that are held (ADR 0031).</summary>
public sealed class MasterKeyTests : IAsyncLifetime
{
    private const string Fqrn = "forged.example.org";
    private const string ManifestUrl = "/cvmfs/" + Fqrn + "/.cvmfspublished";
    private const string WhitelistUrl = "/cvmfs/" + Fqrn + "/.cvmfswhitelist";

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly TemporaryDirectory _keys = new();
    private readonly ScriptedUpstream _stratum1 = ScriptedUpstream.Start();
    private readonly ForgedRepository _old = new(Fqrn);
    private readonly ForgedRepository _new = new(Fqrn);
    private ProxyUnderTest _proxy = null!;

    public async Task InitializeAsync()
    {
        WriteKeys(_old);
        Publish(_old, 811);
        _proxy = await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { ["Repositories:KeysDirectory"] = _keys.Path }, _time,
            _stratum1);
        Assert.Equal(811UL, await RevisionAsync());
    }

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _stratum1.DisposeAsync();
        _keys.Dispose();
        _old.Dispose();
        _new.Dispose();
    }

    [Fact]
    public async Task RebuiltRepository_ItsNewKeyInstalled_IsShownAtOnceAndAfterARestart()
    {
        Publish(_new, 3);
        UseKeys(_new);

        Assert.Equal(3UL, await RevisionAsync());
        Assert.Equal("verified", Trust());
        await _proxy.RestartAsync();
        Assert.Equal(3UL, await RevisionAsync());
        Publish(_new, 2);
        _time.Advance(TimeSpan.FromSeconds(62));
        Assert.Equal(3UL, await RevisionAsync());
    }

    [Fact]
    public async Task RebuiltRepository_ItsNewKeyInstalledWhileTheProxyWasDown_IsShown()
    {
        Publish(_new, 3);
        WriteKeys(_new);
        await _proxy.RestartAsync();

        Assert.Equal(3UL, await RevisionAsync());
        Assert.Equal("verified", Trust());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RetiredKey_NoStratum1HasAnythingElse_WhatItProvedIsNotServedAnyMore(bool isRestarted)
    {
        _stratum1.Everything = isRestarted ? UpstreamBehaviour.ResetWithoutAnswer : UpstreamBehaviour.Default;
        UseKeys(_new);
        if (isRestarted)
        {
            await _proxy.RestartAsync();
        }

        RawResponse manifest = await _proxy.GetAsync(ManifestUrl);

        Assert.True(manifest.Status >= 500, $"{manifest.Status}");
        Assert.True((await _proxy.GetAsync(WhitelistUrl)).Status >= 500);
        Assert.Equal("none", Trust());
    }

    [Fact]
    public async Task RetiredKey_PutBack_WhatItProvedIsServedAgain()
    {
        UseKeys(_new);
        Assert.True((await _proxy.GetAsync(ManifestUrl)).Status >= 500);

        UseKeys(_old);

        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(811UL, await RevisionAsync());
        Assert.Equal("verified", Trust());
    }

    [Fact]
    public async Task BothKeysInForce_TheRevisionDoesNotGoBackUntilTheOldOneIsRetired()
    {
        Publish(_new, 3);
        UseKeys(_old, _new);
        _time.Advance(TimeSpan.FromSeconds(62));
        Assert.Equal(811UL, await RevisionAsync());

        UseKeys(_new);

        Assert.Equal(3UL, await RevisionAsync());
    }

    [Fact]
    public async Task BothKeysInForce_TheRebuiltRepositoryHasTheNewerWhitelist_IsShownAtOnce()
    {
        Publish(_new, 3);
        _stratum1.Put(WhitelistUrl, _new.WhitelistOf("20261130000000", "20281101000000", _new.OwnCertificate));
        UseKeys(_old, _new);
        Assert.Equal(811UL, await RevisionAsync());
        _time.Advance(TimeSpan.FromSeconds(62));

        Assert.Equal(3UL, await RevisionAsync());
        Assert.Equal("verified", Trust());
    }

    [Fact]
    public async Task BothKeysInForce_ARollbackIsAllowed_TheRebuiltRepositoryIsShown()
    {
        Publish(_new, 3);
        UseKeys(_old, _new);
        Signed.AllowRollback(Signed.Repositories.Single().Repository, floor: 3);
        _time.Advance(TimeSpan.FromSeconds(62));

        Assert.Equal(3UL, await RevisionAsync());
    }

    [Fact]
    public async Task Key_RemovedAndAddedAgain_TheTrustFollowsWithoutAStratum1()
    {
        _stratum1.Everything = UpstreamBehaviour.ResetWithoutAnswer;
        UseKeys();
        Assert.Equal(811UL, await RevisionAsync());
        Assert.Equal("unverified", Trust());
        await _proxy.RestartAsync();
        Assert.Equal(811UL, await RevisionAsync());
        Assert.Equal("unverified", Trust());

        UseKeys(_old);

        Assert.Equal(811UL, await RevisionAsync());
        Assert.Equal("verified", Trust());
    }

    [Fact]
    public async Task Key_AddedToARepositoryThatWasUnverified_ItIsProvedOrWithdrawn()
    {
        UseKeys();
        Publish(_old, 900);
        _time.Advance(TimeSpan.FromSeconds(62));
        Assert.Equal(900UL, await RevisionAsync());
        Assert.Equal("unverified", Trust());

        UseKeys(_new);
        Assert.True((await _proxy.GetAsync(ManifestUrl)).Status >= 500);
        UseKeys(_old);
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(900UL, await RevisionAsync());
        Assert.Equal("verified", Trust());
    }

    [Fact]
    public async Task Key_NotReadableAnyMore_WhatWasProvedStaysAndNothingNewComes()
    {
        File.WriteAllText(_keys.Combine(Fqrn + ".pub"), "not a key");
        _proxy.Services.GetRequiredService<RepositoryTrust>().Keys = MasterKeys.Load(_keys.Path);
        Publish(_old, 812);
        _time.Advance(TimeSpan.FromSeconds(62));
        Assert.Equal(811UL, await RevisionAsync());

        UseKeys(_old);

        _time.Advance(TimeSpan.FromSeconds(62));
        Assert.Equal(812UL, await RevisionAsync());
    }

    [Fact]
    public async Task Store_OfAnEarlierVersionWithoutCertificates_IsJudgedByTheOneAmongTheObjects()
    {
        const string Key = "test/" + Fqrn + "/.cvmfspublished";
        IDocumentStore documents = _proxy.Services.GetRequiredService<IDocumentStore>();
        Assert.True(documents.TryGet(Key, out StoredDocument? stored));
        byte[] head = Encoding.ASCII.GetBytes(
            """{"ContentType":"application/x-cvmfs","Lifetime":"00:01:01","InitialAge":"00:00:00","Upstream":null,"IsVerified":true}""");
        await documents.PutAsync(Key, stored with { Head = head });
        _stratum1.Everything = UpstreamBehaviour.ResetWithoutAnswer;

        await _proxy.RestartAsync();

        Assert.Equal(811UL, await RevisionAsync());
        Assert.Equal("verified", Trust());
    }

    [Fact]
    public async Task Whitelist_NewerAndWithoutTheCertificate_WhatThatSignedIsWithdrawnAndDoesNotComeBack()
    {
        byte[] other = _old.Certificate(out Forger forger);
        _stratum1.Put(_old.CertificateUrl(other), other);
        _stratum1.Put(WhitelistUrl, _old.WhitelistOf("20261130000000", "20271101000000", other));
        _time.Advance(TimeSpan.FromSeconds(62));
        Assert.True((await _proxy.GetAsync(ManifestUrl)).Status >= 500);

        // A Stratum 1 that kept the older list, or replays it, does not bring the certificate back, also not after a restart.
        _stratum1.Put(WhitelistUrl, _old.Whitelist);
        _time.Advance(TimeSpan.FromSeconds(62));
        Assert.True((await _proxy.GetAsync(ManifestUrl)).Status >= 500);
        await _proxy.RestartAsync();
        Assert.True((await _proxy.GetAsync(ManifestUrl)).Status >= 500);

        _stratum1.Put(ManifestUrl, forger.SignManifest(_old.ManifestText(5, other)));
        _time.Advance(TimeSpan.FromSeconds(62));
        Assert.Equal(5UL, await RevisionAsync());
    }

    /// <summary>The first Stratum 1 kept the list from before the publisher had another certificate.</summary>
    [Theory]
    [InlineData("none")]
    [InlineData("old")]
    [InlineData("junk")]
    public async Task Whitelist_OldAtOneStratum1_TheOthersPairIsShownAllTheSame(string manifest)
    {
        await using ScriptedUpstream second = ScriptedUpstream.Start();
        byte[] other = _old.Certificate(out Forger forger);
        second.Put(_old.CertificateUrl(other), other);
        second.Put(WhitelistUrl, _old.WhitelistOf("20261130000000", "20281101000000", other));
        byte[] good = forger.SignManifest(_old.ManifestText(812, other));
        second.Put(ManifestUrl, good);
        _stratum1.Script(_old.CertificateUrl(_old.OwnCertificate), UpstreamBehaviour.NotFound);
        if (manifest != "old")
        {
            _stratum1.Script(ManifestUrl, manifest == "none" ? UpstreamBehaviour.NotFound : UpstreamBehaviour.FlipsBitAt(3));
        }

        await using ProxyUnderTest cold = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?> { ["Repositories:KeysDirectory"] = _keys.Path }, _time, _stratum1, second);
        Assert.Equal(good, (await cold.GetAsync(ManifestUrl)).Body);
        Assert.Equal(812UL, Manifest.Parse((await cold.GetAsync(ManifestUrl)).Body).Value!.Revision);
    }

    [Fact]
    public async Task Whitelist_RenewedWhileTheManifestLags_VouchesForWhatIsShown()
    {
        _stratum1.Put(WhitelistUrl, _old.WhitelistOf("20261130000000", "20281101000000", _old.OwnCertificate));
        Publish(_old, 800, withWhitelist: false);
        _time.Advance(TimeSpan.FromSeconds(62));

        Assert.Equal(811UL, await RevisionAsync());
        Assert.Equal(2028, Signed.Repositories.Single().Pair!.Verdict.Whitelist!.ExpiresAt.Year);
    }

    [Fact]
    public async Task Whitelist_OlderThanOurs_OursGoesOnVouching()
    {
        byte[] newer = _old.WhitelistOf("20261130000000", "20281101000000", _old.OwnCertificate);
        _stratum1.Put(WhitelistUrl, newer);
        _time.Advance(TimeSpan.FromSeconds(62));
        Assert.Equal(newer, (await _proxy.GetAsync(WhitelistUrl)).Body);

        Publish(_old, 812);
        _time.Advance(TimeSpan.FromSeconds(62));

        Assert.Equal(812UL, await RevisionAsync());
        Assert.Equal(newer, (await _proxy.GetAsync(WhitelistUrl)).Body);
        Assert.Null(Signed.Repositories.Single().LastRefusal);
    }

    [Fact]
    public async Task Whitelist_ClockAheadOfItsEndAndCorrected_HealsWithinSeconds()
    {
        Publish(_old, 812);
        var stepped = new SteppedTime(_time);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?> { ["Repositories:KeysDirectory"] = _keys.Path }, stepped, _stratum1);
        stepped.SetWall(new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Assert.True((await proxy.GetAsync(ManifestUrl)).Status >= 500);

        stepped.Ahead = TimeSpan.Zero;
        _time.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal(200, (await proxy.GetAsync(ManifestUrl)).Status);
    }

    private SignedDocuments Signed => _proxy.Services.GetRequiredService<SignedDocuments>();

    private async Task<ulong> RevisionAsync()
    {
        RawResponse response = await _proxy.GetAsync(ManifestUrl);
        Assert.Equal(200, response.Status);
        return Manifest.Parse(response.Body).Value!.Revision;
    }

    private string Trust() => Signed.Repositories.Single().Pair switch
    {
        null => "none",
        { IsVerified: true, Manifest.IsVerified: true } => "verified",
        _ => "unverified",
    };

    private void Publish(ForgedRepository repository, ulong revision, bool withWhitelist = true)
    {
        _stratum1.Put(repository.CertificateUrl(repository.OwnCertificate), repository.OwnCertificate);
        _stratum1.Put(ManifestUrl, repository.Own.SignManifest(repository.ManifestText(revision, repository.OwnCertificate)));
        if (withWhitelist)
        {
            _stratum1.Put(WhitelistUrl, repository.Whitelist);
        }
    }

    private void UseKeys(params IReadOnlyList<ForgedRepository> of)
    {
        WriteKeys(of);
        _proxy.Services.GetRequiredService<RepositoryTrust>().Keys = MasterKeys.Load(_keys.Path);
    }

    private void WriteKeys(params IReadOnlyList<ForgedRepository> of)
    {
        foreach (string file in Directory.EnumerateFiles(_keys.Path, "*.pub", SearchOption.AllDirectories))
        {
            File.Delete(file);
        }

        Directory.CreateDirectory(_keys.Combine("example.org"));
        foreach ((int i, ForgedRepository repository) in of.Index())
        {
            File.WriteAllText(_keys.Combine(of.Count == 1 ? Fqrn + ".pub" : $"example.org/{i}.pub"), repository.MasterKeyPem);
        }
    }
}
