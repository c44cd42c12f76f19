using Breakwater.Proxy.Observability;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.Documents;

/// <summary>A whitelist that ends soon is said in time, and not at each check.</summary>
public sealed class ExpiryWarningTests
{
    private const string ManifestUrl = "/cvmfs/minios.example.org/.cvmfspublished";

    /// <summary>In the fixture's whitelist.</summary>
    private static readonly DateTimeOffset s_expiry = new(2046, 1, 22, 17, 43, 3, TimeSpan.Zero);

    [Theory]
    [InlineData(3, 0)]
    [InlineData(-3, 1)]
    public async Task Whitelist_ThatEndsSoon_IsAFindingAndSaidOnce(double hoursBeforeTheWarning, int expected)
    {
        FakeTimeProvider time = new(s_expiry - Repositories.TrustVerdict.ExpiryWarning - TimeSpan.FromHours(hoursBeforeTheWarning));
        using TemporaryDirectory keys = new();
        File.Copy(FixtureRepository.MiniOs.MasterKeyPath, keys.Combine("minios.example.org.pub"));
        await using ScriptedUpstream upstream = ScriptedUpstream.Serving(FixtureRepository.MiniOs);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>
            {
                ["Repositories:KeysDirectory"] = keys.Path,
                ["Logging:LogLevel:Breakwater.Proxy.Documents"] = "Warning",
            },
            time,
            upstream);
        LogLines lines = new();
        using LogOf provider = new(lines);
        proxy.Services.GetRequiredService<ILoggerFactory>().AddProvider(provider);

        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(200, (await proxy.GetAsync(ManifestUrl)).Status);
            Assert.Equal(expected, lines.Said.Count(line => line.StartsWith(
                "minios.example.org: the whitelist expires at 2046-01-22 17:43:03Z", StringComparison.Ordinal)));
            Assert.Equal(expected, proxy.Services.GetRequiredService<Health>().Check().Findings.Count(f => f.Name == "whitelist-expires"));
            time.Advance(TimeSpan.FromSeconds(62));
        }

        Assert.Equal(3, upstream.Requests.Count(request => request.Path == ManifestUrl));
    }

    private sealed class LogOf(ILogger everybody) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => everybody;

        public void Dispose()
        {
        }
    }
}
