using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Tests.Caching;

/// <summary>Which URLs name their own hash, and which requests show a secret.</summary>
public sealed class SelfNamedTests
{
    private const string Hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Theory]
    [InlineData("http://r.example.org/v2/a/b/blobs/sha256:" + Hex, true)]
    [InlineData("http://r.example.org/v2/a/blobs/sha256:" + Hex + "?ns=docker.io", true)]
    [InlineData("http://d.example.org/debian/dists/x/by-hash/SHA256/" + Hex, true)]
    [InlineData("http://r.example.org/v2/a/manifests/sha256:" + Hex, false)]
    [InlineData("http://r.example.org/blobs/sha256:" + Hex, false)]
    [InlineData("http://r.example.org/v2/a/blobs/sha512:" + Hex, false)]
    [InlineData("http://r.example.org/v2/a/blobs/sha256:0" + Hex, false)]
    [InlineData("http://r.example.org/v2/a/blobs/sha256:" + Hex + "/", false)]
    [InlineData("http://r.example.org/x?/v2/a/blobs/sha256:" + Hex, false)]
    [InlineData("http://d.example.org/by-hash/MD5Sum/" + Hex, false)]
    [InlineData("http://d.example.org/", false)]
    [InlineData("?/v2/a/blobs/sha256:" + Hex, false)]
    public void DigestOf_AUrl_IsWhatItsPathNames(string url, bool isNamed)
    {
        Assert.Equal(isNamed ? Convert.FromHexString(Hex) : null, SelfNamed.DigestOf(url));
        Assert.Null(SelfNamed.DigestOf(url.Replace("e3b0", "E3B0", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("", "Accept", false)]
    [InlineData("?ns=docker.io", "User-Agent", false)]
    [InlineData("?ns=docker.io&sig=1", "Accept", true)]
    [InlineData("?x=1", "Accept", true)]
    [InlineData("", "authorization", true)]
    [InlineData("", "Cookie", true)]
    [InlineData("", "PRIVATE-TOKEN", true)]
    [InlineData("", "X-Api-Key", true)]
    public void HasCredentials_OfARequest_IsAnythingThatMayBeASecret(string query, string field, bool isSecret)
    {
        var fields = new HeaderFields();
        fields.Add(field, "x");

        Assert.Equal(isSecret, SelfNamed.HasCredentials("http://r.example.org/v2/a/blobs/sha256:" + Hex + query, fields));
    }

    [Theory]
    [InlineData(200, Hex + "0011", true)]
    [InlineData(200, Hex, true)]
    [InlineData(299, "0011", false)]
    [InlineData(200, "0011" + Hex, false)]
    [InlineData(300, "0011", true)]
    [InlineData(404, "", true)]
    [InlineData(199, "0011", true)]
    public void IsProved_StoredAnswer_WhenItsBodyIsNamedByTheHash(int status, string bodyId, bool isProved) => Assert.Equal(
        isProved,
        SelfNamed.IsProved(Headers.Stored("X: y", status) with { BodyId = Convert.FromHexString(bodyId) }, Convert.FromHexString(Hex)));

    [Theory]
    [InlineData("X: y", false)]
    [InlineData("Content-Encoding: identity", false)]
    [InlineData("Content-Encoding: Identity", false)]
    [InlineData("Content-Encoding: gzip", true)]
    [InlineData("Content-Encoding: identity|Content-Encoding: gzip", true)]
    public void IsCoded_Content_WhenACodingIsNamed(string fields, bool isCoded) =>
        Assert.Equal(isCoded, SelfNamed.IsCoded(Headers.OfText(fields)));

    [Fact]
    public void ShelfName_OfADigest_IsWhatNoUrlIs() => Assert.Equal("sha256:" + Hex, SelfNamed.ShelfName(Convert.FromHexString(Hex)));
}
