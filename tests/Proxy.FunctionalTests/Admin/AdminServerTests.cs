using System.Net;
using System.Net.Http.Headers;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.Proxy.FunctionalTests.Admin;

public sealed class AdminServerTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly Worry _worry = new();
    private BreakwaterSettings _settings = null!;
    private AdminServer _server = null!;
    private HttpClient _http = null!;

    public async Task InitializeAsync()
    {
        _settings = new BreakwaterSettings
        {
            Proxy = new ProxyOptions(),
            Access = new AccessOptions(),
            Store = new CacheStore.StoreOptions { Path = _directory.Path },
            Repositories = new Dictionary<string, RepositoryOptions>(),
            Admin = new AdminOptions { Listen = "127.0.0.1:0", TokenFile = Path.Combine(_directory.Path, "admin.token") },
        };
        _server = new AdminServer(_settings, new Health([_worry]), [new EchoRoom()], ListenPlan.Make(_settings, []),
            NullLoggerFactory.Instance);
        await _server.StartAsync(CancellationToken.None);
        _http = new HttpClient { BaseAddress = _server.Address };
    }

    [Fact]
    public async Task Client_FindsServerByItsSettings_ReadsActsAndUploads()
    {
        using var client = new AdminClient(_settings);

        Assert.Equal("read", (await client.GetAsync<Echo>("echo", default)).Text);
        Assert.Equal("hello", (await client.PostAsync<Echo>("echo", new Echo("hello"), default)).Text);
        Assert.Equal("gone", (await client.DeleteAsync<Echo>("echo/gone", default)).Text);
        Assert.Equal("3000000", (await client.UploadAsync<Echo>("upload", new MemoryStream(new byte[3_000_000]), default)).Text);
    }

    [Fact]
    public async Task Stream_ItemsComeWhileTheActionGoesOn()
    {
        using var client = new AdminClient(_settings);
        var seen = new List<string>();

        await foreach (Echo item in client.StreamAsync<Echo>(HttpMethod.Post, "count", null, default))
        {
            // The room waits for this before it goes on: items that came only at the end would hang here.
            seen.Add(item.Text);
            EchoRoom.Next.Release();
        }

        Assert.Equal(["1", "2", "3"], seen);
    }

    // 21: bare 404 and 400.
    [Theory]
    [InlineData("GET", "/api/v1/nothing", null, 404)]
    [InlineData("GET", "/nothing", null, 404)]
    [InlineData("POST", "/api/v1/nothing", null, 404)]
    [InlineData("PUT", "/api/v1/echo", null, 405)]
    [InlineData("POST", "/api/v1/echo", null, 400)]
    [InlineData("POST", "/api/v1/echo", "no json", 400)]
    [InlineData("POST", "/api/v1/echo", "[1]", 400)]
    public async Task Call_ThatCannotBe_HasProblemDetails(string method, string path, string? body, int status)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", AdminToken.Read(_settings.Admin.TokenFile!));
        request.Content = body is null ? null : new StringContent(body, System.Text.Encoding.UTF8, "application/json");

        using HttpResponseMessage response = await _http.SendAsync(request);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        System.Text.Json.JsonElement problem = System.Text.Json.JsonElement.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal(status, problem.GetProperty("status").GetInt32());
        Assert.NotEqual("", problem.GetProperty("detail").GetString());
        Assert.NotEqual("", problem.GetProperty("title").GetString());
    }

    [Fact]
    public async Task Read_AgainWithItsTag_IsNotSentAgain()
    {
        using HttpResponseMessage first = await _http.GetAsync(new Uri("/api/v1/echo", UriKind.Relative));
        using var again = new HttpRequestMessage(HttpMethod.Get, "/api/v1/echo");
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);

        using HttpResponseMessage second = await _http.SendAsync(again);

        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Equal("", await second.Content.ReadAsStringAsync());
        Assert.Equal("{\"text\":\"read\"}", await first.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Connections_HeldByTheHundred_DoNotCloseThePort()
    {
        var endPoint = new IPEndPoint(IPAddress.Loopback, _server.Address!.Port);
        List<RawHttpClient> held = [];
        for (int i = 0; i < 450; i++)
        {
            RawHttpClient client = await RawHttpClient.ConnectAsync(endPoint);
            held.Add(client);
            await client.SendAsync("GET /healthz/live HTTP/1.1\r\nHost: localhost\r\n\r\n");
            Assert.Equal(200, (await client.ReadResponseAsync()).Status);
        }

        Assert.Equal(200, (await RawHttpClient.GetOnceAsync(endPoint, "/healthz/live")).Status);
        Assert.True(await held[0].IsClosedByServerAsync());
        await held[^1].SendAsync("GET /healthz/live HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Assert.Equal(200, (await held[^1].ReadResponseAsync()).Status);
        held.ForEach(c => c.Dispose());
    }

    [Fact]
    public async Task Action_WithoutToken_IsRefusedAndSaysHow()
    {
        using HttpResponseMessage response = await _http.PostAsync(new Uri("/api/v1/echo", UriKind.Relative), null);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Contains("admin.token", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_UnderAForeignName_IsRefused()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/echo");
        request.Headers.Host = "rebound.example.com";

        using HttpResponseMessage response = await _http.SendAsync(request);

        Assert.Equal(HttpStatusCode.MisdirectedRequest, response.StatusCode);
    }

    [Fact]
    public async Task BigBody_OfAnOrdinaryAction_IsRefused()
    {
        using var request =
            new HttpRequestMessage(HttpMethod.Post, "/api/v1/echo") { Content = new ByteArrayContent(new byte[(1 << 20) + 1]) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", AdminToken.Read(_settings.Admin.TokenFile!));

        using HttpResponseMessage response = await _http.SendAsync(request);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    [Fact]
    public async Task Problem_OfARoom_ReachesTheUserWhole()
    {
        using var client = new AdminClient(_settings);

        AdminException e = await Assert.ThrowsAsync<AdminException>(() => client.GetAsync<Echo>("problem", default));

        Assert.Equal("It is so. Do that.", e.Message);
        Assert.Equal(HttpStatusCode.Conflict, e.Status);
    }

    [Theory]
    [InlineData(404, " does not know this: is it of another release, or is the feature off?")]
    [InlineData(500, " answered 500 ")]
    public async Task Client_SomethingElseIsOnThePort_SaysWhatItMayBe(int status, string expected)
    {
        await using ScriptedUpstream other = ScriptedUpstream.Start();
        other.Everything = UpstreamBehaviour.WithStatus(status);
        _settings.Admin.Listen = $"{other.EndPoint}";
        using var client = new AdminClient(_settings);

        AdminException e = await Assert.ThrowsAsync<AdminException>(() => client.GetAsync<Echo>("echo", default));

        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.Equal(status, (int?)e.Status);
    }

    [Fact]
    public async Task Client_NoServer_SaysWhatToDo()
    {
        await _server.StopAsync(CancellationToken.None);
        using var client = new AdminClient(_settings);

        AdminException e = await Assert.ThrowsAsync<AdminException>(() => client.GetAsync<Echo>("echo", default));

        Assert.Contains("breakwater serve", e.Message, StringComparison.Ordinal);
        Assert.Null(e.Status);
    }

    [Theory]
    [InlineData(HealthLevel.Ready, HttpStatusCode.OK, "\"status\":\"ready\"")]
    [InlineData(HealthLevel.Degraded, HttpStatusCode.OK, "\"name\":\"some-worry\"")]
    [InlineData(HealthLevel.Unready, HttpStatusCode.ServiceUnavailable, "\"status\":\"unready\"")]
    public async Task Ready_TellsTheWorstFinding(object level, HttpStatusCode status, string text)
    {
        _worry.Level = (HealthLevel)level;

        using HttpResponseMessage response = await _http.GetAsync(new Uri("/healthz/ready", UriKind.Relative));

        Assert.Equal(status, response.StatusCode);
        Assert.Contains(text, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("live\n", await _http.GetStringAsync(new Uri("/healthz/live", UriKind.Relative)));
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
        _directory.Dispose();
    }

    private sealed record Echo(string Text);

    private sealed class EchoRoom : IAdminRoom
    {
        public static readonly SemaphoreSlim Next = new(0);

        public void Map(AdminApi admin)
        {
            admin.Read("echo", "Says so.", () => new Echo("read"));
            admin.Action("echo", "Says so.", (Echo echo) => echo);
            admin.Remove("echo/{text}", "Says so.", (string text) => new Echo(text));
            admin.Upload("upload", "Says so.", UploadAsync);
            admin.Action("count", "Says so.", CountAsync);
            admin.Read("problem", "Says so.", () => new AdminProblem("It is so.", "Do that.").Result(StatusCodes.Status409Conflict));
        }

        private static async Task<Echo> UploadAsync(HttpRequest request)
        {
            long length = 0;
            byte[] buffer = new byte[64 << 10];
            int read;
            while ((read = await request.Body.ReadAsync(buffer)) > 0)
            {
                length += read;
            }

            return new Echo($"{length}");
        }

        private static async IAsyncEnumerable<Echo> CountAsync()
        {
            for (int i = 1; i <= 3; i++)
            {
                yield return new Echo($"{i}");
                await Next.WaitAsync();
            }
        }
    }

    private sealed class Worry : IHealthSource
    {
        public HealthLevel Level { get; set; }

        public IEnumerable<HealthFinding> Find() =>
            Level == HealthLevel.Ready ? [] : [new HealthFinding("some-worry", Level, "Look after it.")];
    }
}
