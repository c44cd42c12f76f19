using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Breakwater.Proxy.Observability;

namespace Breakwater.Proxy.Admin;

/// <summary>
/// The admin API in the words of OpenAPI 3.1, read off the endpoints themselves: what is mapped is in it, with its parameters, body and
/// answer.
/// </summary>
internal sealed partial class ApiDocument
{
    private static readonly JsonSerializerOptions s_json =
        new(AdminServer.Json) { TypeInfoResolver = new DefaultJsonTypeInfoResolver() };

    private readonly JsonObject _schemas = [];
    private readonly NullabilityInfoContext _nullability = new();

    private ApiDocument()
    {
    }

    /// <summary>Writes it.</summary>
    public static JsonObject Of(IEnumerable<ApiOperation> operations)
    {
        var document = new ApiDocument();
        JsonObject paths = [];
        foreach (IGrouping<string, ApiOperation> path in operations.GroupBy(operation => WithoutRules(operation.Path)))
        {
            paths[path.Key] = new JsonObject(path.Select(operation => KeyValuePair.Create<string, JsonNode?>(
                operation.Method.ToLowerInvariant(), document.Write(operation, path.Key))));
        }

        document.Refer(typeof(AdminProblem));
        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject
            {
                ["title"] = "Breakwater's admin API",
                ["version"] = Telemetry.Version,
                ["description"] = "Reading is open to Admin:Readers, to others with the token; changes need the token, or a session with "
                    + "its CSRF token. Every answer of 400 and more is problem details (RFC 9457). What is read has an ETag.",
            },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "/" }),
            ["security"] = new JsonArray(
                new JsonObject { ["token"] = new JsonArray() },
                new JsonObject { ["session"] = new JsonArray(), ["csrf"] = new JsonArray() }),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject
                {
                    ["token"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer" },
                    ["session"] = Key("cookie", AdminSessions.Cookie),
                    ["csrf"] = Key("header", AdminSessions.CsrfHeader),
                },
                ["schemas"] = document._schemas,
                ["responses"] = new JsonObject
                {
                    ["Problem"] = new JsonObject
                    {
                        ["description"] = "What is wrong, and what to do next.",
                        ["content"] = Content("application/problem+json", Reference(nameof(AdminProblem))),
                    },
                },
            },
        };
    }

    private JsonObject Write(ApiOperation operation, string path)
    {
        JsonArray parameters = [];
        JsonNode? body = operation.TakesFile
            ? Content("application/octet-stream", new JsonObject { ["type"] = "string", ["format"] = "binary" })
            : null;
        foreach (ParameterInfo parameter in operation.Handler.GetParameters())
        {
            bool isInPath = path.Contains($"{{{parameter.Name}}}", StringComparison.Ordinal);
            if (TypeOf(parameter.ParameterType) is { } type)
            {
                parameters.Add(new JsonObject
                {
                    ["name"] = parameter.Name,
                    ["in"] = isInPath ? "path" : "query",
                    ["required"] = isInPath || !IsOptional(parameter),
                    ["schema"] = new JsonObject { ["type"] = type },
                });
            }
            else if (parameter.ParameterType.Namespace?.StartsWith(nameof(Breakwater), StringComparison.Ordinal) == true)
            {
                body = Content("application/json", Refer(parameter.ParameterType));
            }
        }

        JsonObject written = new()
        {
            ["operationId"] = operation.Method.ToLowerInvariant() + NotLetter().Replace(path, "-").TrimEnd('-'),
            ["summary"] = operation.Says,
            ["parameters"] = parameters,
            ["responses"] = new JsonObject
            {
                ["200"] = Answer(operation),
                ["default"] = new JsonObject { ["$ref"] = "#/components/responses/Problem" },
            },
        };
        if (body is not null)
        {
            written["requestBody"] = new JsonObject { ["required"] = true, ["content"] = body };
        }

        if (operation.IsOpen)
        {
            written["security"] = new JsonArray();
        }

        return written;
    }

    private JsonObject Answer(ApiOperation operation)
    {
        Type type = operation.Answers ?? operation.Handler.ReturnType;
        if (type.IsGenericType && type.GetGenericTypeDefinition() is var open && (open == typeof(Task<>) || open == typeof(ValueTask<>)))
        {
            type = type.GetGenericArguments()[0];
        }

        JsonObject answer = new() { ["description"] = "Done." };
        if (type == typeof(string))
        {
            answer["content"] = Content("text/plain", new JsonObject { ["type"] = "string" });
        }
        else if (!typeof(IResult).IsAssignableFrom(type) && type != typeof(object))
        {
            answer["content"] = Content("application/json", ItemOf(type) is { } item
                ? new JsonObject { ["type"] = "array", ["items"] = Refer(item) }
                : Refer(type));
        }

        return answer;
    }

    /// <summary>What a list is a list of; null when it is none.</summary>
    private static Type? ItemOf(Type type) => type.IsArray
        ? type.GetElementType()
        : type.GetInterfaces().Append(type).FirstOrDefault(one => one.IsGenericType
            && (one.GetGenericTypeDefinition() == typeof(IEnumerable<>) || one.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>)))
            ?.GetGenericArguments()[0];

    private JsonNode Refer(Type type)
    {
        if (type.Namespace?.StartsWith(nameof(Breakwater), StringComparison.Ordinal) != true)
        {
            return s_json.GetJsonSchemaAsNode(type);
        }

        string name = NotLetter().Replace(type.Name, "-");
        if (!_schemas.ContainsKey(name))
        {
            JsonNode schema = s_json.GetJsonSchemaAsNode(type);
            Move(schema, $"#/components/schemas/{name}");
            _schemas[name] = schema;
        }

        return Reference(name);
    }

    /// <summary>A schema points at its own parts from its root, which is no longer that of the document.</summary>
    private static void Move(JsonNode? node, string root)
    {
        if (node is JsonObject map)
        {
            if (map["$ref"]?.GetValue<string>() is { } pointer)
            {
                map["$ref"] = root + pointer[1..];
            }

            foreach ((_, JsonNode? value) in map)
            {
                Move(value, root);
            }
        }
        else if (node is JsonArray list)
        {
            foreach (JsonNode? value in list)
            {
                Move(value, root);
            }
        }
    }

    private bool IsOptional(ParameterInfo parameter) => parameter.HasDefaultValue || (parameter.ParameterType.IsValueType
        ? Nullable.GetUnderlyingType(parameter.ParameterType) is not null
        : _nullability.Create(parameter).WriteState == NullabilityState.Nullable);

    /// <summary>The name of a simple type; null for others.</summary>
    private static string? TypeOf(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type == typeof(string) ? "string"
            : type == typeof(bool) ? "boolean"
            : type == typeof(int) || type == typeof(long) || type == typeof(ulong) ? "integer"
            : null;
    }

    private static JsonObject Content(string type, JsonNode schema) => new() { [type] = new JsonObject { ["schema"] = schema } };

    private static JsonObject Reference(string name) => new() { ["$ref"] = $"#/components/schemas/{name}" };

    private static JsonObject Key(string place, string name) => new() { ["type"] = "apiKey", ["in"] = place, ["name"] = name };

    /// <summary><c>{id:int}</c> is <c>{id}</c> to others, and so is <c>{**id}</c>.</summary>
    private static string WithoutRules(string path) => Rule().Replace(path, "{$1}");

    [GeneratedRegex(@"\{\**(\w+)(:[^}]*)?\}")]
    private static partial Regex Rule();

    [GeneratedRegex("[^A-Za-z0-9]+")]
    private static partial Regex NotLetter();
}
