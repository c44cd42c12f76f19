using System.Net;
using System.Net.Http.Headers;
using Breakwater.Proxy.Admin;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Breakwater.Proxy.FunctionalTests.Admin;

public sealed class LifetimeRoomTests
{
    [Fact]
    public async Task Drain_WithTheToken_BeginsTheEndAndHealthSaysSo()
    {
        using var directory = new TemporaryDirectory();
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?> { ["Admin:TokenFile"] = directory.Combine("admin.token") }, null, upstream);
        CancellationToken stopping = proxy.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        using var http = new HttpClient { BaseAddress = proxy.Services.GetRequiredService<AdminServer>().Address };

        using HttpResponseMessage refused = await http.PostAsync(new Uri("/api/v1/drain", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.False(stopping.IsCancellationRequested);

        http.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Bearer", AdminToken.Read(directory.Combine("admin.token")));
        using HttpResponseMessage accepted = await http.PostAsync(new Uri("/api/v1/drain", UriKind.Relative), null);
        using HttpResponseMessage health = await http.GetAsync(new Uri("/healthz/ready", UriKind.Relative));

        Assert.Equal(HttpStatusCode.OK, accepted.StatusCode);
        Assert.True(stopping.IsCancellationRequested);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, health.StatusCode);
        Assert.Contains("draining", await health.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
