using System.Globalization;
using Breakwater.CacheStore;

namespace Breakwater.Repositories.Writing;

/// <summary>Makes the root catalog of an old revision that of a new one: the same rows under another number.</summary>
public static class CatalogReviser
{
    /// <summary>Changes a catalog's file in place.</summary>
    /// <param name="file">A SQLite file that was written by a publisher and whose hash was checked.</param>
    /// <param name="revision">The new number.</param>
    /// <param name="previous">The root catalog before.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="IOException">It is no catalog, or the disk does not take it.</exception>
    public static void Revise(string file, ulong revision, ObjectKey previous, DateTimeOffset now)
    {
        using var database = new DatabaseWriter(file);
        const string Sql = "INSERT OR REPLACE INTO properties VALUES (?1, ?2)";
        database.Insert(Sql, "revision", revision.ToString(CultureInfo.InvariantCulture));
        database.Insert(Sql, "previous_revision", ManifestDraft.Hex(previous));
        database.Insert(Sql, "last_modified", now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        database.Complete();
    }
}
