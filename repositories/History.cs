using Breakwater.CacheStore;
using SQLitePCL;

namespace Breakwater.Repositories;

/// <summary>The tags of a repository (object of kind <c>H</c>): what images boot is resolved through here, not through the trunk.</summary>
public sealed class History
{
    private const int MaxTags = 100_000;
    private const int MaxNameLength = 1024;
    private readonly Dictionary<string, Tag> _tags;

    private History(Dictionary<string, Tag> tags) => _tags = tags;

    /// <summary>All tags, in no order.</summary>
    public IReadOnlyCollection<Tag> Tags => _tags.Values;

    /// <summary>Reads the history object.</summary>
    /// <param name="wire">The object as on the wire, its hash verified already; seekable, at its beginning. Stays the caller's.</param>
    /// <param name="limits">Bounds on its size.</param>
    /// <param name="cancellationToken">Stops the inflating.</param>
    public static async Task<Parsed<History>> ReadAsync(Stream wire, CatalogLimits limits, CancellationToken cancellationToken = default)
    {
        Parsed<UntrustedDatabase> opened = await UntrustedDatabase.OpenAsync(wire, limits, ["tags"], cancellationToken);
        if (!opened.TryGet(out UntrustedDatabase? database, out string? problem))
        {
            return new Malformed($"History: {problem}");
        }

        using (database)
        {
            Dictionary<string, Tag> tags = new(StringComparer.Ordinal);
            problem = ReadTags(database, tags);
            return problem is null ? new History(tags) : new Malformed($"History: {problem}");
        }
    }

    /// <summary>The tag of that name; null when there is none.</summary>
    public Tag? Find(string name) => _tags.GetValueOrDefault(name);

    /// <summary>The newest tag at or before a time, as a client resolves <c>CVMFS_REPOSITORY_DATE</c>; null when there is none.</summary>
    public Tag? FindAt(DateTimeOffset time) =>
        _tags.Values.Where(tag => tag.CreatedAt <= time).OrderByDescending(tag => tag.CreatedAt).ThenByDescending(tag => tag.Revision)
        .FirstOrDefault();

    private static string? ReadTags(UntrustedDatabase database, Dictionary<string, Tag> tags)
    {
        string? problem =
            database.Prepare("SELECT name, hash, revision, timestamp, description, size FROM tags", out sqlite3_stmt statement);
        if (problem is not null)
        {
            return problem;
        }

        while ((problem = database.Step(statement, out bool hasRow)) is null && hasRow)
        {
            string name = raw.sqlite3_column_text(statement, 0).utf8_to_string() ?? "";
            string hash = raw.sqlite3_column_text(statement, 1).utf8_to_string() ?? "";
            long revision = raw.sqlite3_column_int64(statement, 2);
            long seconds = raw.sqlite3_column_int64(statement, 3);
            if (name.Length is 0 or > MaxNameLength || !Manifest.TryKey(hash, 'C', out ObjectKey root) || revision < 0
                || seconds is < 0 or > 1L << 36
                || tags.Count == MaxTags)
            {
                raw.sqlite3_reset(statement);
                return $"the tag '{(name.Length > MaxNameLength ? name[..MaxNameLength] : name)}' is malformed.";
            }

            string description = raw.sqlite3_column_text(statement, 4).utf8_to_string() ?? "";
            tags[name] = new Tag(name, root, (ulong)revision, DateTimeOffset.FromUnixTimeSeconds(seconds))
            {
                Description = description.Length > MaxNameLength ? description[..MaxNameLength] : description,
                CatalogBytes = Math.Max(0, raw.sqlite3_column_int64(statement, 5)),
            };
        }

        return problem;
    }
}
