using System.Net;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Documents;

/// <summary>A request for a document: under which name it is kept, how long it may be, how urgent it is.</summary>
public sealed class DocumentRequestTests
{
    private static readonly RepositoryRoute s_route = new(Fqrn.Parse("a.example.org"), "stratum1");

    [Fact]
    public void CacheKey_OfAnyPath_IsShortAndOfThatPathAlone()
    {
        string longest = new('x', 200);
        Assert.Equal($"stratum1/a.example.org/{longest}", Of(longest).CacheKey);

        string beyond = Of(longest + "x").CacheKey;

        Assert.Equal("stratum1/a.example.org/".Length + 64, beyond.Length);
        Assert.NotEqual(beyond, Of(longest + "y").CacheKey);
        Assert.Equal(beyond, (Of(longest + "x") with { Hint = "h", Client = IPAddress.Loopback }).CacheKey);
        Assert.NotEqual(beyond, (Of(longest + "x") with { Repository = s_route with { Cluster = "other" } }).CacheKey);
    }

    [Theory]
    [InlineData(DocumentKind.File, ".cvmfspublished", Manifest.MaxBytes, FetchPriority.Catalog)]
    [InlineData(DocumentKind.File, ".cvmfswhitelist", Whitelist.MaxBytes, FetchPriority.Catalog)]
    [InlineData(DocumentKind.File, ".cvmfsreflog", DocumentFetcher.MaxBytes, FetchPriority.Demand)]
    [InlineData(DocumentKind.Geo, "api/v1.0/geo/x/y", 64 << 10, FetchPriority.Demand)]
    public void Limits_OfEachKind_AreItsOwn(object kind, string path, int maxBytes, object priority)
    {
        DocumentRequest request = Of(path) with { Kind = (DocumentKind)kind };

        Assert.Equal((maxBytes, (FetchPriority)priority), (request.MaxBytes, request.Priority));
        Assert.Equal($"/cvmfs/a.example.org/{path}", request.UrlPath);
    }

    private static DocumentRequest Of(string path) => new(DocumentKind.File, s_route, path, null);
}
