using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Commands.Publish.Revisions;

/// <summary>A revision that is to be shown.</summary>
internal sealed record Revision
{
    /// <summary>Its number, above all before it.</summary>
    public required ulong Number { get; init; }

    /// <summary>Its root catalog.</summary>
    public required ObjectKey RootCatalog { get; init; }

    /// <summary>Length of the root catalog once inflated.</summary>
    public required long RootCatalogBytes { get; init; }

    /// <summary>All tags.</summary>
    public required IReadOnlyList<Tag> Tags { get; init; }

    /// <summary>How long clients use a manifest before they ask again.</summary>
    public required TimeSpan Ttl { get; init; }

    /// <summary>When; never before the time of the revision before.</summary>
    public required DateTimeOffset PublishedAt { get; init; }

    /// <summary>The revision after one, with the same files.</summary>
    public static Revision After(CurrentRepository before, IReadOnlyList<Tag> tags, DateTimeOffset now) => new()
    {
        Number = before.Manifest.Revision + 1,
        RootCatalog = before.Manifest.RootCatalog,
        RootCatalogBytes = before.RootCatalogBytes,
        Tags = tags,
        Ttl = before.Manifest.Ttl,
        PublishedAt = NotBefore(before, now),
    };

    /// <summary>The time, unless the clock went back: clients stay on the old state then.</summary>
    public static DateTimeOffset NotBefore(CurrentRepository? before, DateTimeOffset now) =>
        before?.Manifest.PublishedAt is { } last && last > now ? last : now;
}
