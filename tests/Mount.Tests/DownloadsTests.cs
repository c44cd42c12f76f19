using System.Text;

namespace Breakwater.Mount.Tests;

public sealed class DownloadsTests
{
    private const string Kept = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

    [Theory]
    [InlineData(Kept)]
    [InlineData("HTTP/1.1 200 OK\r\ncontent-length:5\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + Kept)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: x\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n\r\nhello#")]
    [InlineData("HTTP/1.0 200 OK\nContent-Length: 5\n\nhello#")]
    public async Task Try_OfAWholeAnswer_HasItsBytes(string answer)
    {
        using var server = new CannedServer(answer);
        Assert.Equal((null, "hello"), await GetAsync(server));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello#")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello#")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello#")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n#")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n#")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n#")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello#")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world#")]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello#")]
    [InlineData("HTTP/1.1 200 OK\r\n#")]
    [InlineData("SSH-2.0-x\r\n\r\n#")]
    [InlineData("#")]
    public async Task Try_OfAnAnswerThatIsNotWhole_SaysSo(string answer)
    {
        using var server = new CannedServer(answer);
        (string? problem, _) = await GetAsync(server);
        Assert.NotNull(problem);
    }

    [Fact]
    public async Task Try_Twice_UsesTheConnectionAgainAndANewOneWhereThePeerHungUp()
    {
        using var server = new CannedServer(Kept, Kept + "#", Kept);
        var routes = new Routes([], TimeProvider.System);
        using var downloads = new Downloads(routes, TimeProvider.System);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal((null, "hello"), await GetAsync(server, downloads));
        }

        Assert.Equal(2, server.Connections);
    }

    [Fact]
    public async Task Try_ByAProxy_NamesTheServerAndAsksPastCachesWhenToldTo()
    {
        using var proxy = new CannedServer(Kept, Kept);
        using var downloads = new Downloads(new Routes([], TimeProvider.System), TimeProvider.System);
        var route = new Route("http://s1.example.org:8000/cvmfs/a", new Uri(proxy.Address));
        Assert.Null(await downloads.TryAsync(route, "data/x", 100, isAgain: false, _ => { }));
        Assert.Null(await downloads.TryAsync(route, "data/x", 100, isAgain: true, _ => { }));
        Assert.StartsWith(
            "GET http://s1.example.org:8000/cvmfs/a/data/x HTTP/1.1\r\nHost: s1.example.org:8000\r\n",
            proxy.Requests[0],
            StringComparison.Ordinal);
        Assert.DoesNotContain("no-cache", proxy.Requests[0], StringComparison.Ordinal);
        Assert.Contains("\r\nCache-Control: no-cache\r\n", proxy.Requests[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Try_OfHttps_SaysThatItIsNotSpoken()
    {
        using var downloads = new Downloads(new Routes([], TimeProvider.System), TimeProvider.System);
        string? problem = await downloads.TryAsync(new Route("https://s1/cvmfs/a", null), "x", 1, isAgain: false, _ => { });
        Assert.Contains("only http://", problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Try_WhenTheCachesDiskFails_DoesNotBlameTheRoute()
    {
        using var server = new CannedServer(Kept);
        List<Route> all = [new Route(server.Address, null), new Route("http://other", null)];
        var routes = new Routes(all, TimeProvider.System);
        using var downloads = new Downloads(routes, TimeProvider.System);
        await Assert.ThrowsAsync<IOException>(
            () => downloads.TryAsync(all[0], "x", 10, isAgain: false, _ => throw new IOException("No space left on device")));
        Assert.Equal(all, routes.InOrder());
    }

    private static async Task<(string? Problem, string Text)> GetAsync(CannedServer server, Downloads? downloads = null)
    {
        using Downloads own = new(new Routes([], TimeProvider.System), TimeProvider.System);
        var text = new StringBuilder();
        string? problem = await (downloads ?? own).TryAsync(
            new Route(server.Address, null), "x", 10, isAgain: false, bytes => text.Append(Encoding.ASCII.GetString(bytes.Span)));
        return (problem, text.ToString());
    }
}
