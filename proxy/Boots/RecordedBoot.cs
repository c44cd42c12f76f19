using System.Net;
using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Boots;

/// <summary>One boot as it was seen: what one VM asked one repository for, each object once, in order.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Reads">The objects.</param>
internal sealed record RecordedBoot(Fqrn Repository, IReadOnlyList<BootRead> Reads)
{
    /// <summary>Which boot this is: one that goes on after a pause comes again under the same number. 0: not known.</summary>
    public long Id { get; init; }

    /// <summary>Whose it was (an address, of IPv6 a /64); null: not known.</summary>
    public IPAddress? Client { get; init; }

    /// <summary>Did it still go on when its recording ended (<c>WorkingSets:BootWindow</c>)?</summary>
    public bool IsCut { get; init; }

    /// <summary>The root catalog that it mounted: the first catalog that it asked for; null when it asked for none.</summary>
    public ObjectKey? RootCatalog { get; } = Reads.Where(read => read.Key.Kind == ObjectKind.Catalog).Select(read => (ObjectKey?)read.Key)
        .FirstOrDefault();

    /// <summary>Did it look tags up? Then it booted a tag, not the trunk.</summary>
    public bool HasReadHistory { get; } = Reads.Any(read => read.Key.Kind == ObjectKind.History);
}
