using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Breakwater.CacheStore.Heads;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Http;

/// <summary>What an operator sees and forgets of ordinary HTTP.</summary>
public sealed class PurgeTests : IAsyncLifetime
{
    private ProxyUnderTest _proxy = null!;
    private HttpClient _admin = null!;

    private IHeadStore Heads => _proxy.Store.Named.Heads;

    public async Task InitializeAsync()
    {
        _proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?> { ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = "http://127.0.0.1:9/" }, null);
        string token = AdminToken.Read(_proxy.Services.GetRequiredService<BreakwaterSettings>().Admin.TokenFile!);
        _admin = new HttpClient { BaseAddress = _proxy.Services.GetRequiredService<AdminServer>().Address, Timeout = Waiting.Hang };
        _admin.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public async Task DisposeAsync()
    {
        _admin.Dispose();
        await _proxy.DisposeAsync();
    }

    [Fact]
    public async Task Purge_OfAUrlOrPrefix_ForgetsTheSitesAndTheDestinationsAnswers()
    {
        Assert.Equal(0, await PurgeAsync("http://repo.example.com/", prefix: true)); // nothing was ever stored
        const string Site = "http://repo.example.com/";
        const string File = "file:http://stratum1/cvmfs/synthetic.example.org/store/1";
        Heads.Put(File, "head"u8.ToArray());
        Assert.Equal(1, await PurgeAsync("http://s1.example.org/cvmfs/synthetic.example.org/store/1", prefix: false));
        Heads.Put(File, "head"u8.ToArray());
        Assert.Equal(1, await PurgeAsync("http://s1.example.org/cvmfs/synthetic.example.org/", prefix: true));
        string[] names = [Site + "a/1", "site:" + Site + "a/1", Site + "a/2", Site + "b"];
        foreach (string name in names)
        {
            Heads.Put(name, "head"u8.ToArray());
        }

        Assert.Equal(2, await PurgeAsync("http://REPO.example.com:80/%61/1", prefix: false));
        Assert.False(Heads.TryGet("site:http://repo.example.com/a/1", out _));
        Assert.True(Heads.TryGet("http://repo.example.com/a/2", out _));
        Assert.Equal(1, await PurgeAsync("http://repo.example.com/a", prefix: true));
        JsonElement left = await _admin.GetFromJsonAsync<JsonElement>("/api/v1/http/stored?prefix=http://repo");
        Assert.Equal(["http://repo.example.com/b"], left.EnumerateArray().Select(url => url.GetString()));
    }

    [Theory]
    [InlineData("https://repo.example.com/")]
    [InlineData("repo.example.com")]
    public async Task Purge_OfNoUrl_IsAMistake(string url)
    {
        using HttpResponseMessage response = await _admin.PostAsync(new Uri($"/api/v1/http/purge?url={url}", UriKind.Relative), null);

        Assert.Equal(400, (int)response.StatusCode);
    }

    private async Task<int> PurgeAsync(string url, bool prefix)
    {
        var path = new Uri($"/api/v1/http/purge?url={Uri.EscapeDataString(url)}&prefix={prefix}", UriKind.Relative);
        using HttpResponseMessage response = await _admin.PostAsync(path, null);
        return (await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>()).GetProperty("purgedUrls").GetInt32();
    }
}
