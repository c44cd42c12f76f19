using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Breakwater.CacheStore;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Observability.AccessLogs;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Tests.Boots;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Admin;

/// <summary>Boots as the admin port gives them.</summary>
public sealed class BootRoomTests : IAsyncLifetime
{
    private readonly BootFeed _feed = new();
    private AdminUnderTest _admin = null!;

    public async Task InitializeAsync() => _admin = await AdminUnderTest.StartAsync(
        new BootRoom(new BootBoard(_feed.Boots, _feed.Time), _feed.Boots, [new NoPaths(), new OnePath()]));

    public async Task DisposeAsync() => await _admin.DisposeAsync();

    [Fact]
    public async Task Boot_WithItsRequests_HasTheirTimesAndTheBestNameThereIs()
    {
        _feed.Boot(1, 10);
        _feed.Pump(
            _feed.Record(1, 20, "C0", 11.2344, 1.0012, result: RequestResult.Miss) with { PathHint = "/bin/sh" },
            _feed.Record(1, 21, "C0", 13, 1));

        JsonElement details = await ReadAsync("boots/1");

        JsonElement[] requests = [.. details.GetProperty("requests").EnumerateArray()];
        Assert.Equal(("10.0.0.1", 13), (details.GetProperty("boot").GetProperty("client").GetString(), requests.Length));
        Assert.Equal("/cvmfs/a.example.org/.cvmfspublished", requests[0].GetProperty("what").GetString());
        Assert.Equal(BootFeed.Key(0).ToPath(), requests[1].GetProperty("what").GetString());
        Assert.Equal("/bin/sh", requests[11].GetProperty("what").GetString());
        foreach ((string name, double about) in (IEnumerable<(string, double)>)[("startMs", 11.2344), ("durationMs", 1.0012)])
        {
            double given = requests[11].GetProperty(name).GetDouble();
            Assert.Equal(about, given, 0.01);                       // a fake clock is not as exact as this one's text
            Assert.Equal(Math.Round(given, 3), given);
            Assert.NotEqual(Math.Round(given, 2), given);
        }

        Assert.Equal(("upstream", "miss", 100), (requests[11].GetProperty("source").GetString(),
            requests[11].GetProperty("result").GetString(), requests[11].GetProperty("bytes").GetInt64()));
        Assert.Equal("/etc/known", requests[12].GetProperty("what").GetString());
        using HttpResponseMessage unknown = await _admin.Http.GetAsync(new Uri("/api/v1/boots/2", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task Boots_ByPages_AreThoseAskedForAndAHundredWhenNobodySaysHowMany()
    {
        for (int vm = 1; vm <= 120; vm++)
        {
            _feed.Boot(vm, 10, milliseconds: vm);
        }

        JsonElement first = await ReadAsync("boots");
        JsonElement second = await ReadAsync("boots?sort=FASTEST&offset=0&limit=1");
        JsonElement third =
            await ReadAsync("boots?sort=fastest&offset=118&limit=500&state=booting&client=%2010.0.0.&repository=%20A.example%20");
        JsonElement none = await ReadAsync("boots?state=stopped&sort=&client=");

        Assert.Equal((120, 0, 100), (Number(first, "matched"), Number(first, "offset"), first.GetProperty("boots").GetArrayLength()));
        Assert.Equal(["10.0.0.120", "10.0.0.119"], Clients(first).Take(2));
        Assert.Equal(["10.0.0.1"], Clients(second));
        Assert.Equal(["10.0.0.119", "10.0.0.120"], Clients(third));
        Assert.Equal((120, 118), (Number(third, "matched"), Number(third, "offset")));
        Assert.Equal((0, 1), (Number(none, "matched"), none.GetProperty("storm").GetProperty("id").GetInt32()));
    }

    [Theory]
    [InlineData("boots?storm=1", HttpStatusCode.OK)]
    [InlineData("boots?storm=2", HttpStatusCode.NotFound)]
    [InlineData("boots?limit=1", HttpStatusCode.OK)]
    [InlineData("boots?limit=500", HttpStatusCode.OK)]
    [InlineData("boots?limit=501", HttpStatusCode.BadRequest)]
    [InlineData("boots?limit=0", HttpStatusCode.BadRequest)]
    [InlineData("boots?offset=-1", HttpStatusCode.BadRequest)]
    [InlineData("boots?state=Done", HttpStatusCode.OK)]
    [InlineData("boots?state=0", HttpStatusCode.BadRequest)]
    [InlineData("boots?sort=client&state=nosuch", HttpStatusCode.BadRequest)]
    public async Task Question_AtItsLimits_IsAnsweredOrAProblem(string question, HttpStatusCode status)
    {
        _feed.Boot(1, 10);

        using HttpResponseMessage response = await _admin.Http.GetAsync(new Uri("/api/v1/" + question, UriKind.Relative));

        Assert.Equal(status, response.StatusCode);
        if (status != HttpStatusCode.OK)
        {
            JsonElement problem = JsonElement.Parse(await response.Content.ReadAsStringAsync());
            Assert.Equal(question.Contains("nosuch", StringComparison.Ordinal),
                problem.GetProperty("error").GetString()!.StartsWith("'nosuch' is not known here", StringComparison.Ordinal));
        }
    }

    private Task<JsonElement> ReadAsync(string path) =>
        _admin.Http.GetFromJsonAsync<JsonElement>(new Uri("/api/v1/" + path, UriKind.Relative));

    private static int Number(JsonElement of, string name) => of.GetProperty(name).GetInt32();

    private static IEnumerable<string?> Clients(JsonElement page) =>
        page.GetProperty("boots").EnumerateArray().Select(boot => boot.GetProperty("client").GetString());

    private sealed class NoPaths : IObjectPaths
    {
        public string? Find(Fqrn repository, in ObjectKey key) => null;
    }

    private sealed class OnePath : IObjectPaths
    {
        public string? Find(Fqrn repository, in ObjectKey key) => key == BootFeed.Key(21) ? "/etc/known" : null;
    }
}
