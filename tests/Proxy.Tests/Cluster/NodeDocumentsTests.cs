using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Tests.Documents;
using Breakwater.Proxy.Tests.Fetching;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;

namespace Breakwater.Proxy.Tests.Cluster;

/// <summary>Manifests and whitelists as another node gets them.</summary>
public sealed class NodeDocumentsTests : IAsyncLifetime
{
    private static readonly FixtureRepository s_minios = FixtureRepository.MiniOs;
    private static readonly RepositoryRoute s_route = new(Fqrn.Parse(s_minios.Fqrn), "test");
    private static readonly DocumentRequest s_manifest = new(DocumentKind.File, s_route, SignedDocuments.ManifestPath, null);

    private readonly BuiltDocuments _proxy = new(
        Whitelist.Parse(s_minios.Files[SignedDocuments.WhitelistPath]).Value!.ExpiresAt - TimeSpan.FromDays(1));

    private readonly TestSite _alone = new();
    private readonly OneNode _another = new();

    public Task InitializeAsync() => _proxy.OpenAsync(s_minios);

    public async Task DisposeAsync()
    {
        await _another.DisposeAsync();
        _alone.Dispose();
        await _proxy.DisposeAsync();
    }

    /// <summary>The owner has it checked first; it goes on with the age that it has here.</summary>
    [Theory]
    [InlineData(SignedDocuments.ManifestPath)]
    [InlineData(SignedDocuments.WhitelistPath)]
    public async Task Serve_OfTheOwner_IsCheckedAndSaysHowOldItIs(string path)
    {
        Assert.Equal("document", (await ServeAsync(_alone.Nodes, path)).Said);
        _proxy.Time.Advance(TimeSpan.FromSeconds(5));

        (string said, HttpResponse response) = await ServeAsync(_alone.Nodes, path);

        byte[] expected = s_minios.Files[path];
        Assert.Equal(("document", 200, (long?)expected.Length), (said, response.StatusCode, response.ContentLength));
        Assert.Equal(expected, ((MemoryStream)response.Body).ToArray());
        CachedDocument here = _proxy.Get<SignedDocuments>().FindFresh(new DocumentRequest(DocumentKind.File, s_route, path, null))!;
        Assert.Equal((here.ContentType, $"public, max-age={(long)here.Lifetime.TotalSeconds}", "5"),
            (response.ContentType, (string?)response.Headers.CacheControl, (string?)response.Headers.Age));
        Assert.Equal(1, _proxy.Upstream.RequestCount(s_manifest.UrlPath));
    }

    /// <summary>No node waits for a node that waits for a node: any other gives what it has.</summary>
    [Fact]
    public async Task Serve_OfWhoIsNotTheOwner_AsksNobody()
    {
        (string said, HttpResponse response) = await ServeAsync(_another, SignedDocuments.ManifestPath);
        Assert.Equal(("not-held", 404), (said, response.StatusCode));
        Assert.Empty(_proxy.Upstream.Requests);
        await _proxy.Get<SignedDocuments>().GetAsync(s_manifest, default).InTimeAsync();
        int asked = _proxy.Upstream.Requests.Count;
        _proxy.Time.Advance(TimeSpan.FromMinutes(5)); // it is older than a client would get it

        Assert.Equal("document", (await ServeAsync(_another, SignedDocuments.ManifestPath)).Said);
        Assert.Equal(asked, _proxy.Upstream.Requests.Count);
    }

    private async Task<(string Said, HttpResponse Response)> ServeAsync(ISiteNodes nodes, string path)
    {
        var documents = new NodeDocuments(_proxy.Get<SignedDocuments>(), nodes, _proxy.Get<ProxyOptions>(), _proxy.Time);
        var context = new DefaultHttpContext();
        context.Response.Body = new MemoryStream();
        return (await documents.ServeAsync(context, s_route, path).InTimeAsync(), context.Response);
    }
}
