using Breakwater.Repositories;

namespace Breakwater.Proxy.Seeding.Import;

/// <summary>What the chain of trust says of one repository of a bundle.</summary>
/// <param name="Manifest">Its manifest.</param>
/// <param name="Whitelist">Its whitelist.</param>
/// <param name="IsVerified">By this site's own master key. False: the chain holds, but only by the key that the bundle itself
/// brings.</param>
/// <param name="IsExpired">The whitelist has expired: reboots go on, first boots need a new one.</param>
internal sealed record SeedTrustVerdict(Manifest Manifest, Whitelist Whitelist, bool IsVerified, bool IsExpired);
