using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;

namespace Breakwater.Proxy.Seeding;

/// <summary>What a bundle was found to be.</summary>
/// <param name="Index">Its index.</param>
/// <param name="IndexSha256">Its identity.</param>
/// <param name="Trust">The verdict on each repository, by name.</param>
internal sealed record SeedFindings(SeedIndex Index, string IndexSha256, IReadOnlyDictionary<string, SeedTrustVerdict> Trust);
