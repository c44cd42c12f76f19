using Breakwater.CacheStore;
using SQLitePCL;

namespace Breakwater.Repositories.Writing;

/// <summary>
/// Writes <c>.cvmfsreflog</c>: every root catalog, certificate, history and metainfo that was ever current, for garbage collection.
/// </summary>
public static class ReflogWriter
{
    private static readonly string[] s_schema =
    [
        "CREATE TABLE properties (key TEXT, value TEXT, CONSTRAINT pk_properties PRIMARY KEY (key))",
        "CREATE TABLE refs (hash TEXT, type INTEGER, timestamp INTEGER, CONSTRAINT pk_refs PRIMARY KEY (hash))",
    ];

    /// <summary>Writes the file, a plain SQLite database.</summary>
    /// <param name="file">A path where nothing is.</param>
    /// <param name="fqrn">The repository.</param>
    /// <param name="references">Objects of kind <c>C</c>, <c>X</c>, <c>H</c> and <c>M</c>, with the time from which on they were
    /// current.</param>
    /// <exception cref="IOException">The disk does not take it.</exception>
    public static void Write(string file, Fqrn fqrn, IEnumerable<KeyValuePair<ObjectKey, DateTimeOffset>> references)
    {
        using var database = new DatabaseWriter(file, s_schema);
        const string Property = "INSERT INTO properties VALUES (?1, ?2)";
        database.Insert(Property, "schema", "1.0");
        database.Insert(Property, "schema_revision", "0");
        database.Insert(Property, "fqrn", fqrn.ToString());
        sqlite3_stmt statement = database.Prepare("INSERT OR IGNORE INTO refs VALUES (?1, ?2, ?3)");
        foreach ((ObjectKey key, DateTimeOffset since) in references)
        {
            database.BindText(statement, 1, ManifestDraft.Hex(key));
            database.Bind(statement, 2, TypeOf(key.Kind));
            database.Bind(statement, 3, since.ToUnixTimeSeconds());
            database.Run(statement);
        }

        database.Complete();
    }

    private static int TypeOf(ObjectKind kind) => kind switch
    {
        ObjectKind.Catalog => 0,
        ObjectKind.Certificate => 1,
        ObjectKind.History => 2,
        ObjectKind.MetaInfo => 3,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not in a reflog."),
    };
}
