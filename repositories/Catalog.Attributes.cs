using SQLitePCL;

namespace Breakwater.Repositories;

/// <content>What a file system shows, and the catalog's own sums.</content>
public sealed partial class Catalog
{
    private const int MaxXattrBytes = 2 + (255 * (2 + 255 + 255));

    /// <summary>Reads what a file system shows of an entry. Null without a problem: it is not in this catalog.</summary>
    public string? ReadAttributes(PathKey key, out CatalogAttributes? attributes)
    {
        attributes = null;
        string? problem = _database.Prepare(
            "SELECT mode, mtime, uid, gid, hardlinks, CAST(symlink AS BLOB), xattr FROM catalog WHERE md5path_1=?1 AND md5path_2=?2",
            out sqlite3_stmt row);
        if (problem is not null)
        {
            return $"Catalog: {problem}";
        }

        Bind(row, key);
        problem = _database.Step(row, out bool hasRow);
        if (problem is null && hasRow)
        {
            long mode = raw.sqlite3_column_int64(row, 0);
            long uid = raw.sqlite3_column_int64(row, 2);
            long gid = raw.sqlite3_column_int64(row, 3);
            long links = raw.sqlite3_column_int64(row, 4);
            ReadOnlySpan<byte> target = raw.sqlite3_column_blob(row, 5);
            ReadOnlySpan<byte> xattrs = raw.sqlite3_column_blob(row, 6);
            if (mode is < 0 or > ushort.MaxValue || uid is < 0 or > uint.MaxValue || gid is < 0 or > uint.MaxValue || links < 0
                || target.Length > MaxPathBytes || xattrs.Length > MaxXattrBytes)
            {
                problem = "an entry's attributes are malformed.";
            }
            else
            {
                attributes = new CatalogAttributes
                {
                    Mode = (uint)mode,
                    ModifiedAt = raw.sqlite3_column_int64(row, 1),
                    Uid = (uint)uid,
                    Gid = (uint)gid,
                    LinkGroup = (uint)(links >> 32),
                    LinkCount = (uint)links,
                    LinkTarget = target.ToArray(),
                    Xattrs = xattrs.IsEmpty ? null : xattrs.ToArray(),
                };
            }
        }

        raw.sqlite3_reset(row);
        return problem is null ? null : $"Catalog: {problem}";
    }

    /// <summary>Reads the table of sums; names as the format has them, such as <c>self_regular</c>.</summary>
    public string? ReadStatistics(out IReadOnlyDictionary<string, long> statistics)
    {
        Dictionary<string, long> read = new(StringComparer.Ordinal);
        statistics = read;
        string? problem = _database.Prepare("SELECT counter, value FROM statistics LIMIT 1000", out sqlite3_stmt row);
        if (problem is not null)
        {
            return $"Catalog: {problem}";
        }

        while ((problem = _database.Step(row, out bool hasRow)) is null && hasRow)
        {
            read[raw.sqlite3_column_text(row, 0).utf8_to_string() ?? ""] = raw.sqlite3_column_int64(row, 1);
        }

        return problem is null ? null : $"Catalog: {problem}";
    }
}
