using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Cluster;

/// <summary>A site without a network: what one node was brought is served by all.</summary>
public sealed class OfflineSiteTests
{
    private const string Fqrn = "minios.example.org";
    private const string ManifestUrl = "/cvmfs/" + Fqrn + "/.cvmfspublished";

    [Fact]
    public async Task Store_OfOneNode_ServesWholeRepositoryFromAll()
    {
        using var keys = new TemporaryDirectory();
        File.Copy(FixtureRepository.MiniOs.MasterKeyPath, keys.Combine(Fqrn + ".pub"));
        var time = new SteppedTime(TimeProvider.System);
        time.SetWall(new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero)); // the fixture's whitelist is in force
        await using ScriptedUpstream upstream = ScriptedUpstream.Serving(FixtureRepository.MiniOs);
        bool isOffline = false;
        await using SiteOfNodes site = await SiteOfNodes.StartAsync(3, [upstream], _ => new()
        {
            ["Repositories:KeysDirectory"] = keys.Path,
            ["Proxy:Offline"] = isOffline ? "true" : "false",
        }, time, running: 1);
        string[] boot = [.. FixtureRepository.BootRequests(2).Prepend(ManifestUrl).Distinct()];
        foreach (string url in boot)
        {
            Assert.Equal(200, (await site[0].GetAsync(url)).Status);
        }

        isOffline = true;
        int asked = upstream.Requests.Count;
        await site[0].RestartAsync(new Dictionary<string, string?> { ["Proxy:Offline"] = "true" });
        await site.StartAsync(1);
        await site.StartAsync(2);
        await site.SeesAllAsync(3);
        await site[0].GetAsync(ManifestUrl); // it is in memory from here on, and offered
        foreach (int node in (int[])[1, 2])
        {
            SignedDocuments documents = site[node].Services.GetRequiredService<SignedDocuments>();
            RepositoryRoutes routes = site[node].Services.GetRequiredService<RepositoryRoutes>();
            Assert.True(routes.TryFind("minios.example.org"u8, out RepositoryRoute? route));
            await Waiting.UntilAsync(() => documents.Find(route)?.IsVerified == true);
            foreach (string url in boot)
            {
                RawResponse response = await site[node].GetAsync(url);
                Assert.True(response.Status == 200, $"n{node} {url}: {response.Status}");
            }
        }

        Assert.Equal(asked, upstream.Requests.Count);
    }
}
