using Breakwater.CacheStore;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Commands.Publish.Revisions;

/// <summary>What a folder's manifest says now.</summary>
/// <param name="Manifest">The manifest.</param>
/// <param name="Tags">All tags, those of the publisher among them.</param>
/// <param name="References">What its reflog names.</param>
internal sealed record CurrentRepository(
    Manifest Manifest, IReadOnlyList<Tag> Tags, IReadOnlyList<KeyValuePair<ObjectKey, DateTimeOffset>> References)
{
    /// <summary>The tag that every publication moves.</summary>
    public const string Trunk = "trunk";

    /// <summary>The tag of the one before.</summary>
    public const string TrunkPrevious = "trunk-previous";

    /// <summary>Length of the root catalog once inflated.</summary>
    public long RootCatalogBytes => long.TryParse(Field('B'), out long bytes) ? bytes : 0;

    /// <summary>SHA-1 of the reflog as the manifest states it; null: it states none.</summary>
    public string? ReflogSha1 => Field('Y');

    /// <summary>Reads a folder. Null: nothing is published there.</summary>
    /// <exception cref="PublishException">What is there is damaged, or another repository.</exception>
    public static async Task<CurrentRepository?> LoadAsync(RepositoryFolder folder, CancellationToken cancellationToken)
    {
        if (folder.Read(RepositoryFolder.Manifest) is not { } bytes)
        {
            return null;
        }

        if (!Manifest.Parse(bytes).TryGet(out Manifest? manifest, out string? problem))
        {
            throw new PublishException($"{folder.Root}: {problem}");
        }

        if (manifest.RepositoryName != folder.Fqrn)
        {
            throw new PublishException($"{folder.Root} holds {manifest.RepositoryName}, not {folder.Fqrn}.");
        }

        IReadOnlyList<Tag> tags = [];
        if (manifest.History is { } key)
        {
            await using FileStream wire = folder.OpenObject(key);
            if (!(await History.ReadAsync(wire, CatalogLimits.Default, cancellationToken)).TryGet(out History? history, out problem))
            {
                throw new PublishException($"{folder.Root}: {problem}");
            }

            tags = [.. history.Tags];
        }

        return new CurrentRepository(manifest, tags, await ReadReflogAsync(folder, cancellationToken));
    }

    /// <summary>What a tag's name, or a revision that a tag names, means.</summary>
    /// <exception cref="PublishException">Nothing.</exception>
    public Tag Resolve(string text) =>
        Tags.FirstOrDefault(tag => tag.Name == text)
        ?? (ulong.TryParse(text, out ulong revision) ? Tags.FirstOrDefault(tag => tag.Revision == revision) : null)
        ?? throw new PublishException($"There is no tag '{text}', and no tag names a revision of that number; "
            + "see 'breakwater publish list'.");

    private string? Field(char letter) => Manifest.Envelope.Lines.FirstOrDefault(line => line.StartsWith(letter))?[1..];

    /// <summary>A reflog that cannot be read is written anew, of what is current.</summary>
    private static async Task<IReadOnlyList<KeyValuePair<ObjectKey, DateTimeOffset>>> ReadReflogAsync(
        RepositoryFolder folder, CancellationToken cancellationToken) =>
        folder.Read(RepositoryFolder.Reflog) is { } bytes
        && (await Reflog.ReadAsync(new MemoryStream(bytes), CatalogLimits.Default, cancellationToken)).TryGet(out Reflog? reflog, out _)
            ? reflog.References
            : [];
}
