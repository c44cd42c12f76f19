using Breakwater.CacheStore;

namespace Breakwater.Repositories;

/// <summary>Scans a catalog for the objects that its files are made of. The one place that says which these are.</summary>
public static class CatalogObjects
{
    /// <summary>
    /// Visits the objects of a catalog's files: each file's whole object, then the chunks of all files in no order, each under the
    /// algorithm of its file. External files, links and special files have none.
    /// </summary>
    /// <param name="catalog">The catalog; those nested in it are not opened.</param>
    /// <param name="visit">Gets each object, several times if several files have it.</param>
    /// <returns>Null: all were visited. Else what is damaged; what can be read beside it was visited.</returns>
    public static string? Scan(Catalog catalog, Action<ObjectKey> visit) => Scan<bool>(
        catalog,
        (_, _) => (null, true),
        (key, _) =>
        {
            visit(key);
            return true;
        });

    /// <summary><inheritdoc cref="Scan(Catalog, Action{ObjectKey})" path="/summary"/></summary>
    /// <typeparam name="TFile">What a visit is told of the file; kept in memory for each file in chunks until the end.</typeparam>
    /// <param name="catalog">The catalog; those nested in it are not opened.</param>
    /// <param name="describe">
    /// Says of a file, at which the cursor stands, what its visits are told. Null leaves its objects out; a problem ends the scan of files.
    /// </param>
    /// <param name="visit">Gets each object with what was said of its file. False ends the scan.</param>
    /// <param name="maxChunked">
    /// Files in chunks that are remembered until their chunks are scanned; the chunks of others are left out.
    /// </param>
    /// <returns><inheritdoc cref="Scan(Catalog, Action{ObjectKey})" path="/returns"/></returns>
    public static string? Scan<TFile>(
        Catalog catalog,
        Func<CatalogCursor, CatalogEntry, (string? Problem, TFile? File)> describe,
        Func<ObjectKey, TFile, bool> visit,
        int maxChunked = int.MaxValue)
        where TFile : struct
    {
        Dictionary<PathKey, (DigestAlgorithm Algorithm, TFile File)> chunked = [];
        CatalogCursor cursor = catalog.Scan();
        bool goesOn = true;
        string? problem = null;
        while (goesOn && problem is null && (problem = cursor.MoveNext()) is null && cursor.Current is { } entry)
        {
            if (!entry.HasObjects || (entry.Object is null && !entry.IsChunked))
            {
                continue;
            }

            (problem, TFile? described) = describe(cursor, entry);
            if (problem is null && described is { } file)
            {
                if (entry.IsChunked && chunked.Count < maxChunked)
                {
                    chunked[entry.Key] = (entry.Algorithm, file);
                }

                goesOn = entry.Object is not { } whole || visit(whole, file);
            }
        }

        string? damage = !goesOn || chunked.Count == 0 ? null : catalog.ScanChunks((path, _, _, digest) =>
        {
            if (goesOn && chunked.TryGetValue(path, out (DigestAlgorithm Algorithm, TFile File) of))
            {
                goesOn = visit(new ObjectKey(digest, of.Algorithm, ObjectKind.Chunk), of.File);
            }
        });
        return problem ?? damage;
    }
}
