using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Commands.Publish.Revisions;

/// <summary>Names and changes of tags. Pure.</summary>
internal static class TagList
{
    private const int MaxLength = 200;

    /// <summary>What a tag's name may be.</summary>
    public const string Rule = "a tag has 1 to 200 letters, digits, '.', '-', '_' or '+'; trunk and trunk-previous are the publisher's own";

    /// <summary>May somebody give this name?</summary>
    public static bool IsValid(string name) =>
        name.Length is > 0 and <= MaxLength && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '+')
        && name is not (CurrentRepository.Trunk or CurrentRepository.TrunkPrevious);

    /// <summary>The tags once a root catalog is the trunk's.</summary>
    /// <param name="before">Those before.</param>
    /// <param name="root">The new root catalog.</param>
    /// <param name="catalogBytes">Its length once inflated.</param>
    /// <param name="revision">Its revision.</param>
    /// <param name="now">The time.</param>
    public static IReadOnlyList<Tag> WithTrunk(
        IReadOnlyList<Tag> before, in ObjectKey root, long catalogBytes, ulong revision, DateTimeOffset now)
    {
        List<Tag> tags = [.. before.Where(tag => tag.Name is not (CurrentRepository.Trunk or CurrentRepository.TrunkPrevious))];
        if (before.FirstOrDefault(tag => tag.Name == CurrentRepository.Trunk) is { } trunk)
        {
            tags.Add(trunk with { Name = CurrentRepository.TrunkPrevious, Description = "default undo target" });
        }

        tags.Add(new Tag(CurrentRepository.Trunk, root, revision, now) { Description = "current HEAD", CatalogBytes = catalogBytes });
        return tags;
    }

    /// <summary>The tags with one set or moved.</summary>
    /// <param name="before">Those before.</param>
    /// <param name="name">Its name.</param>
    /// <param name="target">What it names, under whatever name.</param>
    /// <param name="description">What its maker says.</param>
    /// <param name="now">The time.</param>
    public static IReadOnlyList<Tag> With(IReadOnlyList<Tag> before, string name, Tag target, string description, DateTimeOffset now) =>
        [.. before.Where(tag => tag.Name != name), target with { Name = name, Description = description, CreatedAt = now }];
}
