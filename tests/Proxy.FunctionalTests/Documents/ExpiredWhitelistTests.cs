using Breakwater.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.Documents;

/// <summary>A whitelist that expires while no Stratum 1 answers: the setting says whether what it proves is served on.</summary>
public sealed class ExpiredWhitelistTests
{
    private const string ManifestUrl = "/cvmfs/minios.example.org/.cvmfspublished";
    private const string WhitelistUrl = "/cvmfs/minios.example.org/.cvmfswhitelist";

    /// <summary>In the fixture's whitelist.</summary>
    private static readonly DateTimeOffset s_expiry = new(2046, 1, 22, 17, 43, 3, TimeSpan.Zero);

    [Theory]
    [InlineData("true", true)]
    [InlineData("true", false)]
    [InlineData("false", true)]
    [InlineData("false", false)]
    public async Task Whitelist_ExpiresWithoutAStratum1_IsServedOnOrNotAsTheSettingSays(string rawPath, bool servesExpired)
    {
        FakeTimeProvider time = new(s_expiry - TimeSpan.FromSeconds(63));
        using TemporaryDirectory keys = new();
        File.Copy(FixtureRepository.MiniOs.MasterKeyPath, keys.Combine("minios.example.org.pub"));
        await using ScriptedUpstream upstream = ScriptedUpstream.Serving(FixtureRepository.MiniOs);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>
            {
                ["Repositories:KeysDirectory"] = keys.Path,
                ["Repositories:ServeExpired"] = servesExpired.ToString(),
                ["Proxy:RawPath"] = rawPath
            },
            time,
            upstream);
        Assert.Equal((200, 200), await StatusesAsync(proxy));
        upstream.Everything = UpstreamBehaviour.ResetWithoutAnswer;

        time.Advance(TimeSpan.FromSeconds(62)); // checked in vain; a second is left
        Assert.Equal((200, 200), await StatusesAsync(proxy));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(servesExpired ? (200, 200) : (502, 502), await StatusesAsync(proxy));

        upstream.Heal();
        time.Advance(TimeSpan.FromSeconds(62)); // what the Stratum 1 has is expired, too
        Assert.Equal(servesExpired ? (200, 200) : (502, 502), await StatusesAsync(proxy));
    }

    private static async Task<(int Manifest, int Whitelist)> StatusesAsync(ProxyUnderTest proxy) =>
        ((await proxy.GetAsync(ManifestUrl)).Status, (await proxy.GetAsync(WhitelistUrl)).Status);
}
