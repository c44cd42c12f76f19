using Breakwater.Proxy.Requests;

namespace Breakwater.Proxy.Tests.Requests;

public sealed class CacheUriTests
{
    [Theory]
    [InlineData("WWW.Example.org", 80, "/A", "http://www.example.org/A")]
    [InlineData("h", 81, "/", "http://h:81/")]
    [InlineData("2001:DB8::1", 80, "/", "http://[2001:db8::1]/")]
    [InlineData("::1", 8000, "/?q", "http://[::1]:8000/?q")]
    [InlineData("h", 80, "/%41%7a%30%2D%2e%5F%7E", "http://h/Az0-._~")]
    [InlineData("h", 80, "/%61b", "http://h/ab")]
    [InlineData("h", 80, "/%2f%20%2B", "http://h/%2f%20%2B")]
    [InlineData("h", 80, "/x%4", "http://h/x%4")]
    [InlineData("h", 80, "/x%", "http://h/x%")]
    [InlineData("h", 80, "/%g1%1g%%41", "http://h/%g1%1g%A")]
    public void Of_HostPortAndPath_IsTheNameThatAllWritingsOfItShare(string host, int port, string path, string name) =>
        Assert.Equal(name, CacheUri.Of(host, port, path));

    [Fact]
    public void Url_OfEachKindOfName_IsWithoutWhatSetsThemApart()
    {
        string ofSite = CacheUri.OfSite("h", 81, "/x"), ofFile = CacheUri.OfFile("/cvmfs/a.b/x");

        Assert.Equal(("site:http://h:81/x", "file:http://stratum1/cvmfs/a.b/x"), (ofSite, ofFile));
        Assert.Equal("http://h:81/x", CacheUri.Url(ofSite).ToString());
        Assert.Equal("http://stratum1/cvmfs/a.b/x", CacheUri.Url(ofFile).ToString());
        Assert.Equal("http://h/x", CacheUri.Url("http://h/x").ToString());
    }
}
