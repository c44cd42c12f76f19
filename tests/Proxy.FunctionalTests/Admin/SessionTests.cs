using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.Proxy.FunctionalTests.Admin;

/// <summary>Signing in from a network that may not read.</summary>
public sealed class SessionTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly HttpClientHandler _cookies = new() { AllowAutoRedirect = false };
    private AdminServer _server = null!;
    private HttpClient _http = null!;

    public async Task InitializeAsync()
    {
        var settings = new BreakwaterSettings
        {
            Proxy = new ProxyOptions(),
            Access = new AccessOptions(),
            Store = new CacheStore.StoreOptions { Path = _directory.Path },
            Repositories = new Dictionary<string, RepositoryOptions>(),
            Admin = new AdminOptions
            {
                Listen = "127.0.0.1:0",
                TokenFile = _directory.Combine("admin.token"),
                Readers = ["192.0.2.0/24"],
            },
        };
        _server = new AdminServer(settings, new Health([]), [new OneRoom()], ListenPlan.Make(settings, []), NullLoggerFactory.Instance);
        await _server.StartAsync(CancellationToken.None);
        _http = new HttpClient(_cookies) { BaseAddress = _server.Address };
    }

    [Fact]
    public async Task Page_WithoutASession_LeadsToTheForm()
    {
        using HttpResponseMessage page = await _http.GetAsync(At("/"));

        Assert.Equal((HttpStatusCode.Redirect, "/login.html"), (page.StatusCode, page.Headers.Location?.ToString()));
        foreach (string open in (string[])["/login.html", "/login.js", "/page.css", "/icon.svg"])
        {
            Assert.Equal(HttpStatusCode.OK, (await _http.GetAsync(At(open))).StatusCode);
        }

        foreach (string closed in (string[])["/main.js", "/index.html", "/api/v1/one", "/api/v1/session", "/metrics", "/login.html/x"])
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await _http.GetAsync(At(closed))).StatusCode);
        }
    }

    [Fact]
    public async Task Session_ReadsAndChangesWithItsCsrfTokenAlone()
    {
        using HttpResponseMessage signedIn = await SignInAsync(Token);
        string csrf = (await signedIn.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("csrf").GetString()!;
        string cookie = Assert.Single(signedIn.Headers.GetValues("Set-Cookie"));

        Assert.Contains("; httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("; samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("; path=/", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("; secure", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Token, cookie, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await _http.GetAsync(At("/"))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await _http.GetAsync(At("/api/v1/one"))).StatusCode);

        foreach (string? wrong in (string?[])[null, "", csrf + "x", csrf[..^1]])
        {
            using HttpResponseMessage refused = await ActAsync(HttpMethod.Post, "/api/v1/one", wrong);
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
            Assert.Equal("application/problem+json", refused.Content.Headers.ContentType?.MediaType);
            Assert.Equal(HttpStatusCode.Forbidden, (await ActAsync(HttpMethod.Delete, "/api/v1/session", wrong)).StatusCode);
        }

        Assert.Equal(HttpStatusCode.OK, (await ActAsync(HttpMethod.Post, "/api/v1/one", csrf)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await ActAsync(HttpMethod.Delete, "/api/v1/session", csrf)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await _http.GetAsync(At("/api/v1/one"))).StatusCode);
    }

    [Fact]
    public async Task Cookie_BehindTls_IsForTlsAlone()
    {
        using HttpResponseMessage signedIn = await SignInAsync(Token, isEncrypted: true);

        Assert.Contains("; secure", Assert.Single(signedIn.Headers.GetValues("Set-Cookie")), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Tries_MoreThanFive_AreAnsweredWith429()
    {
        for (int i = 0; i < 5; i++)
        {
            using HttpResponseMessage refused = await SignInAsync("wrong");
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
            Assert.False(refused.Headers.Contains("Set-Cookie"));
        }

        using HttpResponseMessage right = await SignInAsync(Token);
        Assert.Equal(HttpStatusCode.TooManyRequests, right.StatusCode);
        Assert.InRange(right.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        Assert.False(right.Headers.Contains("Set-Cookie"));
    }

    [Theory]
    [InlineData("application/x-www-form-urlencoded", "token=x")]
    [InlineData("text/plain", "{\"token\":\"x\"}")]
    [InlineData("application/json", "{\"token\":null}")]
    [InlineData("application/json", "[]")]
    public async Task SignIn_ThatAFormOfAnotherSiteCouldSend_IsRefused(string type, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, type);
        using HttpResponseMessage response = await _http.PostAsync(At(SessionRoom.Path), content);

        Assert.InRange((int)response.StatusCode, 400, 415);
        Assert.False(response.Headers.Contains("Set-Cookie"));
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        _cookies.Dispose();
        await _server.DisposeAsync();
        _directory.Dispose();
    }

    private string Token => AdminToken.Read(_directory.Combine("admin.token"));

    private static Uri At(string path) => new(path, UriKind.Relative);

    private Task<HttpResponseMessage> SignInAsync(string token, bool isEncrypted = false) =>
        _http.PostAsJsonAsync(At(SessionRoom.Path), new { token, isEncrypted });

    private Task<HttpResponseMessage> ActAsync(HttpMethod method, string path, string? csrf)
    {
        var request = new HttpRequestMessage(method, path);
        if (csrf is not null)
        {
            request.Headers.TryAddWithoutValidation(AdminSessions.CsrfHeader, csrf);
        }

        return _http.SendAsync(request);
    }

    private sealed class OneRoom : IAdminRoom
    {
        public void Map(AdminApi admin)
        {
            admin.Read("one", "Says so.", () => 1);
            admin.Action("one", "Says so.", () => 1);
        }
    }
}
