using System.Text.Json;
using System.Text.Json.Serialization;

namespace Breakwater.Repositories;

/// <summary>A repository's name in JSON is a string, as a value and as a property's name; what is no name is malformed.</summary>
public sealed class FqrnJson : JsonConverter<Fqrn>
{
    /// <inheritdoc/>
    public override Fqrn Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Fqrn.TryParse(reader.GetString(), out Fqrn name) ? name : throw new JsonException("It is not the name of a repository.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, Fqrn value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());

    /// <inheritdoc/>
    public override Fqrn ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Read(ref reader, typeToConvert, options);

    /// <inheritdoc/>
    public override void WriteAsPropertyName(Utf8JsonWriter writer, Fqrn value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value.ToString());
}
