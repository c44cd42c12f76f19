using System.Text.Json;

namespace Breakwater.Proxy.Cluster;

/// <summary>What <c>/node/state</c> says.</summary>
/// <param name="Repositories">The newest verified revision of each repository, by name.</param>
internal sealed record NodeOffer(IReadOnlyDictionary<string, ulong> Repositories)
{
    /// <summary>How it is written.</summary>
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web);
}
