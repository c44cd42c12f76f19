using System.Net;
using System.Text.Json;
using Breakwater.Proxy.Admin;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Admin;

/// <summary>The OpenAPI document against the admin port that serves it.</summary>
public sealed class ApiDocumentTests : IAsyncLifetime
{
    private const string Base = "/api/v1/";

    private ProxyUnderTest _proxy = null!;
    private HttpClient _http = null!;
    private JsonElement _document;

    public async Task InitializeAsync()
    {
        _proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?> { ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = "http://127.0.0.1:9/" }, null);
        _http = new HttpClient { BaseAddress = _proxy.Services.GetRequiredService<AdminServer>().Address };
        _document = await ReadAsync(Base + "openapi.json");
    }

    [Fact]
    public async Task Document_NamesAllThatCanBeReadAndDone()
    {
        JsonElement status = await ReadAsync(Base + "status");
        JsonElement paths = _document.GetProperty("paths");

        foreach ((string list, string method) in ((string, string)[])[("reads", "get"), ("actions", "post")])
        {
            foreach (JsonElement path in status.GetProperty(list).EnumerateArray())
            {
                string whole = Base + path.GetString()!.TrimStart('/').Replace(":int}", "}", StringComparison.Ordinal)
                    .Replace("{**", "{", StringComparison.Ordinal);
                Assert.True(paths.TryGetProperty(whole, out JsonElement operations) && operations.TryGetProperty(method, out _),
                    $"{method} {whole} is not in the document");
            }
        }
    }

    [Fact]
    public async Task Document_OfEachRead_TellsWhatIsAnswered()
    {
        int compared = 0;
        foreach (JsonProperty path in _document.GetProperty("paths").EnumerateObject())
        {
            if (!path.Value.TryGetProperty("get", out JsonElement read)
                || read.GetProperty("parameters").EnumerateArray().Any(parameter => parameter.GetProperty("required").GetBoolean()))
            {
                continue;
            }

            JsonElement answer = await ReadAsync(path.Name);
            if (answer.ValueKind == JsonValueKind.Object && SchemaOf(read) is { } schema)
            {
                string[] described = [.. schema.GetProperty("properties").EnumerateObject().Select(property => property.Name)];
                Assert.Empty(answer.EnumerateObject().Select(property => property.Name).Except(described));
                compared++;
            }
        }

        Assert.InRange(compared, 4, 50);
    }

    [Fact]
    public void Document_PointsAtNothingThatIsNotThere()
    {
        List<string> ids = [];
        Walk(_document);

        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.NotEmpty(ids);

        void Walk(JsonElement element)
        {
            if (element.ValueKind == JsonValueKind.Array)
            {
                element.EnumerateArray().ToList().ForEach(Walk);
            }
            else if (element.ValueKind == JsonValueKind.Object)
            {
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    if (property is { Name: "$ref", Value.ValueKind: JsonValueKind.String })
                    {
                        Follow(property.Value.GetString()!);
                    }
                    else if (property is { Name: "operationId" })
                    {
                        ids.Add(property.Value.GetString()!);
                    }

                    Walk(property.Value);
                }
            }
        }
    }

    [Theory]
    [InlineData("boots?state=nosuch")]
    [InlineData("boots?state=1")]
    [InlineData("boots?sort=nosuch")]
    [InlineData("boots?limit=0")]
    [InlineData("boots?limit=501")]
    [InlineData("boots?offset=-1")]
    [InlineData("boots?limit=many")]
    [InlineData("history?span=year")]
    public async Task Question_ThatMakesNoSense_IsAProblem(string question)
    {
        using HttpResponseMessage response = await _http.GetAsync(new Uri(Base + question, UriKind.Relative));

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _proxy.DisposeAsync();
    }

    private JsonElement? SchemaOf(JsonElement operation)
    {
        JsonElement answer = operation.GetProperty("responses").GetProperty("200");
        return answer.TryGetProperty("content", out JsonElement content)
            && content.GetProperty("application/json").GetProperty("schema") is var schema
            && schema.TryGetProperty("$ref", out JsonElement reference)
            ? Follow(reference.GetString()!)
            : null;
    }

    private JsonElement Follow(string pointer)
    {
        JsonElement at = _document;
        foreach (string step in pointer.Split('/').Skip(1))
        {
            at = at.ValueKind == JsonValueKind.Array ? at[int.Parse(step)] : at.GetProperty(Uri.UnescapeDataString(step));
        }

        return at;
    }

    private async Task<JsonElement> ReadAsync(string path)
    {
        using HttpResponseMessage response = await _http.GetAsync(new Uri(path, UriKind.Relative));
        Assert.True(response.IsSuccessStatusCode, $"{path}: {response.StatusCode}");
        return JsonElement.Parse(await response.Content.ReadAsStringAsync());
    }
}
