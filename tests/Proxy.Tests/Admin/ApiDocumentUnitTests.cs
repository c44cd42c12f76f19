using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Breakwater.Proxy.Admin;
using Microsoft.AspNetCore.Http;

namespace Breakwater.Proxy.Tests.Admin;

/// <summary>What the document makes of one operation each.</summary>
public sealed class ApiDocumentUnitTests
{
    [Fact]
    public void Parameters_OfAHandler_HaveTheirPlaceTheirTypeAndWhetherTheyAreNeeded()
    {
        JsonNode written = Written("GET", "/api/v1/things/{id:int}/{**rest}",
            (int id, string rest, string? filter, bool deep, ulong? floor, long most, CancellationToken stop) => new PurgeResult(id),
            "/api/v1/things/{id}/{rest}");

        Assert.Equal("get-api-v1-things-id-rest", written["operationId"]!.GetValue<string>());
        Assert.Equal("Says so.", written["summary"]!.GetValue<string>());
        Assert.Equal(
            [
                "id path True integer", "rest path True string", "filter query False string", "deep query True boolean",
                "floor query False integer", "most query True integer",
            ],
            written["parameters"]!.AsArray().Select(parameter =>
                $"{parameter!["name"]} {parameter["in"]} {parameter["required"]!.GetValue<bool>()} {parameter["schema"]!["type"]}"));
        Assert.Null(written["requestBody"]);
        Assert.Null(written["security"]);
        Assert.Equal("#/components/responses/Problem", written["responses"]!["default"]!["$ref"]!.GetValue<string>());
    }

    [Fact]
    public void Body_OfAnAction_IsItsTypeAndThatOfAFileAreBytes()
    {
        JsonNode action = Written("POST", "/a", (WarmOrder order) => Results.Ok());
        JsonNode upload = Written("POST", "/a", (HttpRequest request) => Results.Ok(), takesFile: true);

        Assert.True(action["requestBody"]!["required"]!.GetValue<bool>());
        Assert.Equal("""{"$ref":"#/components/schemas/WarmOrder"}""",
            action["requestBody"]!["content"]!["application/json"]!["schema"]!.ToJsonString());
        Assert.Equal("""{"type":"string","format":"binary"}""",
            upload["requestBody"]!["content"]!["application/octet-stream"]!["schema"]!.ToJsonString());
        Assert.Null(action["responses"]!["200"]!["content"]);       // a result says nothing of its type
        Assert.Equal("[]", Written("POST", "/a", () => Results.Ok(), isOpen: true)["security"]!.ToJsonString());
    }

    [Fact]
    public void Answer_OfEachKind_IsDescribed()
    {
        const string One = """{"$ref":"#/components/schemas/PurgeResult"}""";
        const string Many = """{"type":"array","items":{"$ref":"#/components/schemas/PurgeResult"}}""";
        foreach ((Delegate handler, string? schema) in (IEnumerable<(Delegate, string?)>)
        [
            (() => new PurgeResult(1), One),
            (() => Task.FromResult(new PurgeResult(1)), One),
            (() => ValueTask.FromResult(new PurgeResult(1)), One),
            (() => new[] { new PurgeResult(1) }, Many),
            (() => new List<PurgeResult>(), Many),
            (() => Enumerable.Empty<PurgeResult>(), Many),
            (() => StreamAsync(), Many),
            (() => Task.FromResult<IReadOnlyList<PurgeResult>>([]), Many),
            (() => new object(), null),
            (() => Task.FromResult(Results.Ok()), null),
        ])
        {
            JsonNode? content = Written("GET", "/a", handler)["responses"]!["200"]!["content"];
            Assert.Equal(schema, content?["application/json"]!["schema"]!.ToJsonString());
        }

        JsonNode text = Written("GET", "/a", () => "text");
        Assert.Equal("""{"text/plain":{"schema":{"type":"string"}}}""", text["responses"]!["200"]!["content"]!.ToJsonString());
    }

    /// <summary>A schema that points at itself, also from within lists, points there from wherever it stands.</summary>
    [Fact]
    public void Schemas_OfTypesWithinThemselves_PointAtWhatIsThere()
    {
        JsonObject document = ApiDocument.Of(
            [Operation("GET", "/tree", () => new Tree([], null, null)),
            Operation("GET", "/shape", () => new Shape { Within = new Round { Within = new Square() } })]);

        string[] pointers = [.. Pointers(document).Distinct()];
        Assert.NotEmpty(pointers);
        Assert.All(pointers, pointer =>
        {
            Assert.StartsWith("#/components/", pointer, StringComparison.Ordinal);
            JsonNode? at = document;
            foreach (string step in pointer.Split('/').Skip(1))
            {
                at = at is JsonArray list ? list[int.Parse(step)] : at![Uri.UnescapeDataString(step)];
                Assert.NotNull(at);
            }
        });
        Assert.NotNull(document["components"]!["schemas"]!["AdminProblem"]);
    }

    [Fact]
    public void Paths_OfOneNameAndSeveralMethods_AreOne()
    {
        JsonObject document = ApiDocument.Of(
            [Operation("GET", "/a/{id:int}", () => 1), Operation("DELETE", "/a/{id}", () => 1), Operation("GET", "/b", () => 1)]);

        Assert.Equal(["/a/{id}", "/b"], document["paths"]!.AsObject().Select(path => path.Key));
        Assert.Equal(["get", "delete"], document["paths"]!["/a/{id}"]!.AsObject().Select(path => path.Key));
    }

    private static async IAsyncEnumerable<PurgeResult> StreamAsync()
    {
        await Task.CompletedTask;
        yield return new PurgeResult(1);
    }

    private static ApiOperation Operation(string method, string path, Delegate handler, bool isOpen = false, bool takesFile = false) =>
        new(method, path, "Says so.", handler.Method, null, isOpen, takesFile);

    private static JsonNode Written(
        string method, string path, Delegate handler, string? written = null, bool isOpen = false, bool takesFile = false) =>
        ApiDocument.Of([Operation(method, path, handler, isOpen, takesFile)])["paths"]![written ?? path]![method.ToLowerInvariant()]!;

    private static IEnumerable<string> Pointers(JsonNode? node) => node switch
    {
        JsonObject map => map.SelectMany(pair => pair.Key == "$ref" && pair.Value is JsonValue value
            ? [value.GetValue<string>()]
            : Pointers(pair.Value)),
        JsonArray list => list.SelectMany(Pointers),
        _ => [],
    };

    private sealed record Tree(IReadOnlyList<Tree> Children, Tree? Left, Tree? Right);

    [JsonDerivedType(typeof(Round), "round")]
    [JsonDerivedType(typeof(Square), "square")]
    private record Shape
    {
        public Shape? Within { get; init; }
    }

    private sealed record Round : Shape;

    private sealed record Square : Shape
    {
        public Shape? Beside { get; init; }
    }
}
