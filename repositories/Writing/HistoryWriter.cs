using Breakwater.CacheStore;
using SQLitePCL;

namespace Breakwater.Repositories.Writing;

/// <summary>Writes the database of tags, schema 1.0 revision 3, as <see cref="History"/> reads it.</summary>
public static class HistoryWriter
{
    private static readonly string[] s_schema =
    [
        "CREATE TABLE properties (key TEXT, value TEXT, CONSTRAINT pk_properties PRIMARY KEY (key))",
        "CREATE TABLE branches (branch TEXT, parent TEXT, initial_revision INTEGER,  CONSTRAINT pk_branch PRIMARY KEY (branch),   "
            + "FOREIGN KEY (parent) REFERENCES branches (branch),   CHECK ((branch <> '') OR (parent IS NULL)),   "
            + "CHECK ((branch = '') OR (parent IS NOT NULL)))",
        "CREATE TABLE tags (name TEXT, hash TEXT, revision INTEGER,   timestamp INTEGER, channel INTEGER, description TEXT, size INTEGER, "
            + "  branch TEXT, CONSTRAINT pk_tags PRIMARY KEY (name),   FOREIGN KEY (branch) REFERENCES branches (branch))",
        "CREATE TABLE recycle_bin (hash TEXT, flags INTEGER,   CONSTRAINT pk_hash PRIMARY KEY (hash))",
    ];

    /// <summary>Writes a database.</summary>
    /// <param name="file">A path where nothing is.</param>
    /// <param name="fqrn">The repository.</param>
    /// <param name="previous">The history before; null: none.</param>
    /// <param name="tags">All tags; the catalogs that they name must exist.</param>
    /// <exception cref="IOException">The disk does not take it, or a name is there twice.</exception>
    public static void Write(string file, Fqrn fqrn, ObjectKey? previous, IEnumerable<Tag> tags)
    {
        using var database = new DatabaseWriter(file, s_schema);
        const string Property = "INSERT INTO properties VALUES (?1, ?2)";
        database.Insert(Property, "schema", "1.0");
        database.Insert(Property, "schema_revision", "3");
        database.Insert(Property, "fqrn", fqrn.ToString());
        database.Insert(Property, "previous_revision", previous is { } before ? ManifestDraft.Hex(before) : new string('0', 40));
        database.Insert("INSERT INTO branches VALUES ('', NULL, 0)");
        sqlite3_stmt statement = database.Prepare("INSERT INTO tags VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, '')");
        foreach (Tag tag in tags.OrderBy(tag => tag.CreatedAt).ThenBy(tag => tag.Name, StringComparer.Ordinal))
        {
            database.BindText(statement, 1, tag.Name);
            database.BindText(statement, 2, ManifestDraft.Hex(tag.RootCatalog));
            database.Bind(statement, 3, (long)tag.Revision);
            database.Bind(statement, 4, tag.CreatedAt.ToUnixTimeSeconds());
            database.BindText(statement, 5, tag.Description);
            database.Bind(statement, 6, tag.CatalogBytes);
            database.Run(statement);
        }

        database.Complete();
    }
}
