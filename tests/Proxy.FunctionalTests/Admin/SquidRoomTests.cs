using System.Globalization;
using System.Net;
using System.Text;
using Breakwater.Proxy.Admin;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Admin;

/// <summary>Pages of squid's cache manager, read as squid's exporters and check scripts read them.</summary>
public sealed class SquidRoomTests
{
    [Fact]
    public async Task Pages_AfterAMissAndAHit_CountBothInSquidsWords()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(10_240).On(upstream);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(upstream);
        using RawHttpClient client = await proxy.ConnectAsync();
        for (int i = 0; i < 2; i++)
        {
            await client.SendAsync(RawHttpClient.Request("GET", item.Url));
            Assert.Equal(item.Bytes, (await client.ReadResponseAsync()).Body);
        }

        await proxy.CountedAsync(2);
        using var http = new HttpClient { BaseAddress = proxy.Services.GetRequiredService<AdminServer>().Address };

        // "key = value", as prometheus exporters split it.
        var counters = (await http.GetStringAsync(new Uri("/squid-internal-mgr/counters", UriKind.Relative))).Split('\n')
            .Where(l => l.Contains(" = ", StringComparison.Ordinal)).Select(l => l.Split(" = ")).ToDictionary(l => l[0], l => l[1]);
        Assert.Equal("2", counters["client_http.requests"]);
        Assert.Equal("1", counters["client_http.hits"]);
        Assert.Equal("0", counters["client_http.errors"]);
        Assert.Equal("20", counters["client_http.kbytes_out"]);
        Assert.Equal("10", counters["client_http.hit_kbytes_out"]);
        Assert.Equal("1", counters["server.http.requests"]);
        Assert.Equal("10", counters["server.all.kbytes_in"]);
        Assert.True(double.Parse(counters["cpu_time"], CultureInfo.InvariantCulture) > 0);

        string info = await http.GetStringAsync(new Uri("/squid-internal-mgr/info", UriKind.Relative));
        Assert.Contains("\tNumber of HTTP requests received:\t2\n", info, StringComparison.Ordinal);
        Assert.Contains("\tHits as % of all requests:\t5min: 50.0%, 60min: 50.0%\n", info, StringComparison.Ordinal);
        Assert.Contains("\tMaximum number of file descriptors:  ", info, StringComparison.Ordinal);

        // "section: share% value", as prometheus exporters split it.
        string[] times = (await http.GetStringAsync(new Uri("/squid-internal-mgr/service_times", UriKind.Relative))).Split('\n');
        Assert.Equal(1 + (5 * 19) + 1, times.Length);
        string[] median = times.Single(l => l.StartsWith("\tCache Misses:         50%  ", StringComparison.Ordinal)).Split(
            ['%', ' '], StringSplitOptions.RemoveEmptyEntries);
        Assert.InRange(double.Parse(median[^1], CultureInfo.InvariantCulture), 0.00001, 60);
        Assert.Equal(median[^2], median[^1]);
        Assert.Contains("\tNear Hits:             0.00000  0.00000\n", info, StringComparison.Ordinal);

        string utilization = await http.GetStringAsync(new Uri("/squid-internal-mgr/utilization", UriKind.Relative));
        Assert.Contains("Last 5 minutes:\n", utilization, StringComparison.Ordinal);
        Assert.EndsWith("seconds", utilization.Split('\n').First(l => l.StartsWith("cpu_time", StringComparison.Ordinal)),
            StringComparison.Ordinal);
        Assert.Contains("Totals since cache startup:\nsample_time = ", utilization, StringComparison.Ordinal);
    }

    /// <summary>Byte by byte too, since a head comes as the network likes.</summary>
    [Theory]
    [InlineData("GET cache_object://localhost/counters HTTP/1.0\r\nHost: localhost\r\nAccept: */*\r\n\r\n", 200)]
    [InlineData("GET cache_object://10.0.0.1:3128/info@secret HTTP/1.0\r\n\r\n", 200)]
    [InlineData("GET cache_object://localhost/nothing HTTP/1.0\r\n\r\n", 404)]
    [InlineData("GET cache_object://localhost HTTP/1.0\r\n\r\n", 200)]
    [InlineData("GET cache_objects://localhost/info HTTP/1.0\r\n", 400)]
    [InlineData("GET /squid-internal-mgr/info HTTP/1.0\r\n\r\n", 200)]
    public async Task Pages_AskedByTheOldScheme_AreAnswered(string request, int status)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(upstream);
        Uri admin = proxy.Services.GetRequiredService<AdminServer>().Address!;
        foreach (int step in (int[])[1, 7, request.Length])
        {
            using RawHttpClient client = await RawHttpClient.ConnectAsync(IPEndPoint.Parse(admin.Authority));
            for (int i = 0; i < request.Length; i += step)
            {
                await client.SendAsync(request[i..Math.Min(request.Length, i + step)]);
            }

            RawResponse response = await client.ReadResponseAsync();
            Assert.Equal(status, response.Status);
            Assert.Equal(request.Contains("counters", StringComparison.Ordinal),
                Encoding.ASCII.GetString(response.Body).Contains("client_http.requests = ", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Pages_AskedOfTheProxysPort_TheRefusalSaysWhereTheyAre()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(upstream);

        foreach (string target in (string[])["/squid-internal-mgr/info", $"http://{proxy.EndPoint}/squid-internal-mgr/counters"])
        {
            RawResponse refused = await proxy.GetAsync(target);
            Assert.InRange((int)refused.Status, 403, 404);
            string said = Encoding.UTF8.GetString(refused.Body);
            Assert.Contains("admin port", said, StringComparison.Ordinal);
            Assert.Contains("Admin:Listen", said, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Pages_AskedByWhoIsNoReader_NeedTheTokenAndUnknownOnesNameTheMenu()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        await using ProxyUnderTest proxy =
            await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { ["Admin:Readers:0"] = "192.0.2.0/24" }, null, upstream);
        using var http = new HttpClient { BaseAddress = proxy.Services.GetRequiredService<AdminServer>().Address };

        using HttpResponseMessage refused = await http.GetAsync(new Uri("/squid-internal-mgr/info", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Contains("Admin:Readers", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        await using ProxyUnderTest open = await ProxyUnderTest.StartAsync(upstream);
        using var reader = new HttpClient { BaseAddress = open.Services.GetRequiredService<AdminServer>().Address };
        using HttpResponseMessage missing = await reader.GetAsync(new Uri("/squid-internal-mgr/objects", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        Assert.Contains("/squid-internal-mgr/menu", await missing.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
