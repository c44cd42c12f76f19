using SQLitePCL;

namespace Breakwater.Repositories;

/// <summary>
/// Reads a catalog's rows in the order of their keys, one after the other. Valid while the catalog is open; one at a time.
/// </summary>
public sealed class CatalogCursor
{
    private readonly Catalog _catalog;
    private readonly UntrustedDatabase _database;
    private sqlite3_stmt? _statement;

    internal CatalogCursor(Catalog catalog, UntrustedDatabase database)
    {
        _catalog = catalog;
        _database = database;
    }

    /// <summary>The row at which the cursor stands; its path is empty. Null at the end.</summary>
    public CatalogEntry? Current { get; private set; }

    /// <summary>Moves on. A problem when the catalog is damaged.</summary>
    public string? MoveNext()
    {
        CatalogEntry? before = Current;
        Current = null;
        string? problem = null;
        if (_statement is null)
        {
            problem = _database.Prepare(Catalog.ScanSql, out sqlite3_stmt statement);
            _statement = statement;
        }

        bool hasRow = false;
        problem ??= _database.Step(_statement, out hasRow);
        if (problem is null && hasRow)
        {
            if (!Catalog.TryReadEntry(_statement, "", out CatalogEntry? entry) || (before is not null && entry.Key <= before.Key))
            {
                raw.sqlite3_reset(_statement);
                problem = "a row is malformed, or two have the same key.";
            }

            Current = entry;
        }

        return problem is null ? null : $"Catalog: {problem}";
    }

    /// <summary>The path of the current row.</summary>
    public string? ReadPath(out string? path)
    {
        path = null;
        return Current is { } current ? _catalog.PathOf(current.Key, out path) : null;
    }
}
