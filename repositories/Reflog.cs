using Breakwater.CacheStore;
using SQLitePCL;

namespace Breakwater.Repositories;

/// <summary>
/// A repository's <c>.cvmfsreflog</c>: every root catalog, certificate, history and metainfo that was current and is not collected.
/// </summary>
public sealed class Reflog
{
    private const int MaxReferences = 1_000_000;
    private static readonly char[] s_kinds = ['C', 'X', 'H', 'M'];

    private Reflog(List<KeyValuePair<ObjectKey, DateTimeOffset>> references) => References = references;

    /// <summary>The objects, with the time from which on they were current.</summary>
    public IReadOnlyList<KeyValuePair<ObjectKey, DateTimeOffset>> References { get; }

    /// <summary>Reads the file.</summary>
    /// <param name="file">Its bytes; seekable, at its beginning. Stays the caller's.</param>
    /// <param name="limits">Bounds on its size.</param>
    /// <param name="cancellationToken">Stops the copying.</param>
    public static async Task<Parsed<Reflog>> ReadAsync(Stream file, CatalogLimits limits, CancellationToken cancellationToken = default)
    {
        Parsed<UntrustedDatabase> opened = await UntrustedDatabase.OpenAsync(file, limits, ["refs"], cancellationToken);
        if (!opened.TryGet(out UntrustedDatabase? database, out string? problem))
        {
            return new Malformed($"Reflog: {problem}");
        }

        using (database)
        {
            List<KeyValuePair<ObjectKey, DateTimeOffset>> references = [];
            problem = Read(database, references);
            return problem is null ? new Reflog(references) : new Malformed($"Reflog: {problem}");
        }
    }

    private static string? Read(UntrustedDatabase database, List<KeyValuePair<ObjectKey, DateTimeOffset>> references)
    {
        string? problem = database.Prepare("SELECT hash, type, timestamp FROM refs", out sqlite3_stmt row);
        if (problem is not null)
        {
            return problem;
        }

        while ((problem = database.Step(row, out bool hasRow)) is null && hasRow)
        {
            string hash = raw.sqlite3_column_text(row, 0).utf8_to_string() ?? "";
            long type = raw.sqlite3_column_int64(row, 1);
            long seconds = raw.sqlite3_column_int64(row, 2);
            if (type < 0 || type >= s_kinds.Length || !Manifest.TryKey(hash, s_kinds[type], out ObjectKey key)
                || seconds is < 0 or > 1L << 36 || references.Count == MaxReferences)
            {
                raw.sqlite3_reset(row);
                return "a reference is malformed.";
            }

            references.Add(new(key, DateTimeOffset.FromUnixTimeSeconds(seconds)));
        }

        return problem;
    }
}
