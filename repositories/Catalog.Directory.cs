using SQLitePCL;

namespace Breakwater.Repositories;

/// <content>Paths and names as bytes, as a file system has them: not every name is UTF-8.</content>
public sealed partial class Catalog
{
    /// <summary>Looks a path up by its bytes. Entry null without a problem: it is not in this catalog.</summary>
    public string? Find(ReadOnlySpan<byte> path, out CatalogEntry? entry) =>
        Find(PathKey.Of(path), PathText.Of(path), out entry);

    /// <summary>Lists what is directly in a directory of this catalog with the names' bytes; the same order at every call.</summary>
    public string? ListNames(byte[] directory, Action<byte[], CatalogEntry> visit)
    {
        long rows = 0;
        return VisitChildren(ChildrenSql + " ORDER BY rowid", directory, ref rows, (_, name, entry) => visit(name.ToArray(), entry));
    }

    private const string ChildrenSql = $"SELECT {Columns} FROM catalog WHERE parent_1=?1 AND parent_2=?2";

    private delegate void ChildVisitor(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name, CatalogEntry entry);

    /// <summary>Shows what is directly in a directory, each row checked.</summary>
    private string? VisitChildren(string sql, byte[] directory, ref long rows, ChildVisitor visit)
    {
        if (directory.Length > MaxPathBytes)
        {
            return "Catalog: a path is too long.";
        }

        string? problem = _database.Prepare(sql, out sqlite3_stmt row);
        if (problem is not null)
        {
            return $"Catalog: {problem}";
        }

        Bind(row, PathKey.Of(directory));
        Span<byte> path = stackalloc byte[MaxPathBytes + MaxNameBytes + 1];
        directory.CopyTo(path);
        path[directory.Length] = (byte)'/';
        while ((problem = _database.Step(row, out bool hasRow)) is null && hasRow)
        {
            ReadOnlySpan<byte> name = raw.sqlite3_column_blob(row, 5);
            if (name.IsEmpty && raw.sqlite3_column_int64(row, 7) == 0 && raw.sqlite3_column_int64(row, 8) == 0)
            {
                continue; // the root's own row
            }

            problem = ReadChild(row, name, path, directory.Length + 1, out CatalogEntry? entry);
            problem ??= ++rows > _maxRows ? $"it has more than {_maxRows} rows." : null;
            if (problem is not null)
            {
                break;
            }

            visit(path[..(directory.Length + 1 + name.Length)], name, entry!);
        }

        raw.sqlite3_reset(row);
        return problem is null ? null : $"Catalog: {problem}";
    }
}
