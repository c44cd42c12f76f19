using System.Text.Json;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Cluster;

/// <summary>What <c>/node/state</c> says.</summary>
/// <param name="Repositories">The newest verified revision of each repository, by name.</param>
/// <param name="Boots">Number of the newest boot that waits for the node that learns of the repository.</param>
/// <param name="Sets">Which learned sets there are of a repository, see <see cref="NodeLearning.Versions"/>.</param>
internal sealed record NodeOffer(IReadOnlyDictionary<Fqrn, ulong> Repositories, IReadOnlyDictionary<Fqrn, long>? Boots,
    IReadOnlyDictionary<Fqrn, string>? Sets)
{
    /// <summary>How it is written.</summary>
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        Converters = { new ByRepository<ulong>(), new ByRepository<long>(), new ByRepository<string>() },
    };
}
