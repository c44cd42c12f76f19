using System.Net;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.FunctionalTests.Admin;

/// <summary>
/// What <c>/healthz/ready</c> says while something outside is broken, and afterwards. Degraded is 200: clients are served.
/// </summary>
public sealed class HealthTests
{
    [Fact]
    public async Task Ready_NoStratum1Answers_NamesUpstreamDownUntilOneDoes()
    {
        await using ScriptedUpstream first = ScriptedUpstream.Start();
        await using ScriptedUpstream second = ScriptedUpstream.Start();
        SyntheticObject[] items = [.. Enumerable.Range(0, 3).Select(i => new SyntheticObject(500 + i, i).On(first))];
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(first, second);
        Assert.Equal("""{"status":"ready","findings":[]}""", await ReadyAsync(proxy));

        first.Everything = second.Everything = UpstreamBehaviour.WithStatus(503);
        Assert.InRange((int)(await proxy.GetAsync(items[0].Url)).Status, 502, 504);
        string down = await ReadyAsync(proxy);
        Assert.StartsWith(
            """{"status":"degraded","findings":[{"name":"upstream-down","level":"degraded","""
                + "\"text\":\"No Stratum 1 of cluster test answers (",
            down, StringComparison.Ordinal);
        Assert.Contains(first.EndPoint.ToString(), down, StringComparison.Ordinal);
        Assert.Contains(second.EndPoint.ToString(), down, StringComparison.Ordinal);

        first.Everything = UpstreamBehaviour.Default;
        Assert.Equal(items[1].Bytes, (await proxy.GetAsync(items[1].Url)).Body);
        Assert.Equal("""{"status":"ready","findings":[]}""", await ReadyAsync(proxy));
    }

    [Fact]
    public async Task Ready_ClusterThatNobodyUsesFailsItsProbes_IsNoWorry()
    {
        await using ScriptedUpstream unused = ScriptedUpstream.Start();
        unused.Everything = UpstreamBehaviour.WithStatus(503);
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(500).On(upstream);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>
            {
                ["ReverseProxy:Clusters:unused:Destinations:s1:Address"] = unused.Address,
                ["ReverseProxy:Clusters:unused:HealthCheck:Active:Enabled"] = "true",
                ["ReverseProxy:Clusters:unused:HealthCheck:Active:Interval"] = "00:00:00.05",
                ["ReverseProxy:Clusters:unused:HealthCheck:Active:Policy"] = "ConsecutiveFailures",
                ["ReverseProxy:Clusters:unused:HealthCheck:Active:Path"] = "/cvmfs/info/v1/repositories.json",
            },
            null,
            upstream);
        Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);
        Stratum1Outcomes outcomes = proxy.Services.GetRequiredService<Stratum1Outcomes>();
        DestinationState probed = proxy.Services.GetRequiredService<IProxyStateLookup>().GetClusters().Single(c => c.ClusterId == "unused")
            .DestinationsState.AllDestinations[0];
        await Waiting.UntilAsync(() => outcomes.StateOf(probed) is not (Stratum1State.NotAskedYet or Stratum1State.Answers));

        Assert.Equal("""{"status":"ready","findings":[]}""", await ReadyAsync(proxy));
    }

    [Fact]
    public async Task Ready_DiskRefusesWrites_NamesStoreReadOnlyUntilItTakesThem()
    {
        var disk = new FaultyDisk();
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(9_000).On(upstream);
        await using ProxyUnderTest proxy =
            await ProxyUnderTest.StartOnAsync(disk, new Dictionary<string, string?> { ["Store:CommitInterval"] = "00:00:00.01" }, upstream);

        disk.WriteFault = new IOException("full", 28);
        Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);
        await UntilAsync(proxy,
            text => text.Contains("""{"status":"degraded","findings":[{"name":"store-read-only",""", StringComparison.Ordinal));

        disk.WriteFault = null;
        await UntilAsync(proxy, text => text == """{"status":"ready","findings":[]}""");
    }

    [Theory]
    [InlineData("deleted")]
    [InlineData("emptied")]
    [InlineData("moved")]
    [InlineData("made anew")]
    public async Task Ready_StoreTakenAwayUnderTheProcess_IsUnreadyAndNamesStoreMissing(string how)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        using TemporaryDirectory directory = new();
        string store = directory.Combine("store");
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?> { ["Store:Path"] = store, ["Admin:TokenFile"] = directory.Combine("admin.token") }, null,
            upstream);
        Assert.Equal("""{"status":"ready","findings":[]}""", await ReadyAsync(proxy));

        if (how == "moved")
        {
            Directory.Move(store, store + ".old");
        }
        else
        {
            foreach (string entry in Directory.EnumerateFileSystemEntries(store))
            {
                if (Directory.Exists(entry))
                {
                    Directory.Delete(entry, recursive: true);
                }
                else
                {
                    File.Delete(entry);
                }
            }

            if (how != "emptied")
            {
                Directory.Delete(store);
            }

            if (how == "made anew")
            {
                Directory.CreateDirectory(store);
            }
        }

        Assert.StartsWith("""{"status":"unready","findings":[{"name":"store-missing","level":"unready",""",
            await ReadyAsync(proxy, HttpStatusCode.ServiceUnavailable), StringComparison.Ordinal);
    }

    private static Task UntilAsync(ProxyUnderTest proxy, Func<string, bool> holds) =>
        Waiting.UntilAsync(async () => holds(await ReadyAsync(proxy)));

    private static async Task<string> ReadyAsync(ProxyUnderTest proxy, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var http = new HttpClient();
        using HttpResponseMessage response =
            await http.GetAsync(new Uri(proxy.Services.GetRequiredService<AdminServer>().Address!, "/healthz/ready"));
        Assert.Equal(expected, response.StatusCode);
        return await response.Content.ReadAsStringAsync();
    }
}
