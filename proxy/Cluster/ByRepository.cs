using System.Text.Json;
using System.Text.Json.Serialization;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Cluster;

/// <summary>
/// What a node says of repositories, by name. What has the name of none is left out: the rest of an offer is good without it.
/// </summary>
internal sealed class ByRepository<TValue> : JsonConverter<IReadOnlyDictionary<Fqrn, TValue>>
{
    /// <inheritdoc/>
    public override IReadOnlyDictionary<Fqrn, TValue>? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        JsonSerializer.Deserialize<Dictionary<string, TValue>>(ref reader, options)?.Where(static said => Fqrn.TryParse(said.Key, out _))
            .ToDictionary(static said => Fqrn.Parse(said.Key), static said => said.Value);

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, IReadOnlyDictionary<Fqrn, TValue> value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, value.ToDictionary(static said => said.Key.ToString(), static said => said.Value), options);
}
