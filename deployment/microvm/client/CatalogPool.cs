using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Mount;

/// <summary>
/// The catalogs in use, opened when they are needed; those unused for longest are closed, so that memory is bounded. Thread-safe: one
/// question at a time to all catalogs, for the kernel remembers the answers.
/// </summary>
internal sealed class CatalogPool(ObjectSource source, CatalogLimits limits, int maxOpen, Action<string> log) : IDisposable
{
    private readonly LinkedList<(ObjectKey Key, Catalog Catalog)> _open = []; // by use; guarded by _gate
    private readonly Lock _gate = new();

    /// <summary>Asks a catalog. False: it cannot be had or is damaged.</summary>
    /// <param name="key">The catalog.</param>
    /// <param name="question">Answers null, or a sentence about what is malformed.</param>
    public bool Ask(ObjectKey key, Func<Catalog, string?> question)
    {
        lock (_gate)
        {
            // A catalog has a bound on the work of all questions: one that is used up is opened again.
            for (int attempt = 0; attempt < 2; attempt++)
            {
                if (Open(key) is not { } catalog)
                {
                    return false;
                }

                string? problem = question(catalog);
                if (problem is null)
                {
                    return true;
                }

                log(problem);
                _open.RemoveFirst();
                catalog.Dispose();
            }

            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach ((_, Catalog catalog) in _open)
            {
                catalog.Dispose();
            }

            _open.Clear();
        }
    }

    private Catalog? Open(ObjectKey key)
    {
        for (LinkedListNode<(ObjectKey Key, Catalog Catalog)>? node = _open.First; node is not null; node = node.Next)
        {
            if (node.Value.Key == key)
            {
                _open.Remove(node);
                _open.AddFirst(node);
                return node.Value.Catalog;
            }
        }

        Catalog? catalog = Task.Run(() => LoadAsync(key)).GetAwaiter().GetResult();
        if (catalog is not null)
        {
            _open.AddFirst((key, catalog));
            if (_open.Count > maxOpen)
            {
                _open.Last!.Value.Catalog.Dispose();
                _open.RemoveLast();
            }
        }

        return catalog;
    }

    private async Task<Catalog?> LoadAsync(ObjectKey key)
    {
        try
        {
            await using FileStream? wire = await source.FetchAsync(key);
            if (wire is null)
            {
                return null;
            }

            if ((await Catalog.OpenAsync(wire, limits)).TryGet(out Catalog? catalog, out string? problem))
            {
                return catalog;
            }

            log($"{key}: {problem}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log($"{key}: {e.Message}");
        }

        return null;
    }
}
