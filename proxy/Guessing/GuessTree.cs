using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Guessing;

/// <summary>
/// The part of a repository's tree that is known so far, by the catalogs that clients read: where an object's file is, what is beside it,
/// and what a path leads to. Catalogs that are damaged, or beyond the limits, are left out. One thread at a time.
/// </summary>
internal sealed class GuessTree : IDisposable
{
    private const int MaxChunksOfFile = 4096;

    private readonly GuessLimits _limits;
    private readonly GuessCatalogs _catalogs;
    private readonly NeedsSearch _needs;
    private readonly Dictionary<ObjectKey, Place> _places = [];
    private readonly Dictionary<PathKey, PathKey> _firstRead = [];   // directory → the file that was read first
    private readonly HashSet<PathKey> _judged = [];                  // directories that were looked at, files of too many chunks
    private (PathKey File, List<CatalogChunk> Chunks) _chunked = (default, []);

    /// <summary>Of no catalog yet.</summary>
    public GuessTree(GuessLimits limits)
    {
        _limits = limits;
        _catalogs = new GuessCatalogs(limits);
        _needs = new NeedsSearch(_catalogs);
    }

    /// <summary>Names that were looked up in the catalogs since the beginning.</summary>
    internal long LookUps => _catalogs.LookUps;

    /// <summary>
    /// Takes a catalog over, also one that is damaged somewhere: what can be read of it is used. One of the same directory, of another
    /// revision, makes room.
    /// </summary>
    /// <returns>False: there is no room for it; it is closed.</returns>
    public bool TryAdd(Catalog catalog)
    {
        if (!_catalogs.TryAdd(catalog, out int number))
        {
            catalog.Dispose();
            return false;
        }

        CatalogObjects.Scan<Place>(
            catalog,
            (_, entry) => (null, new Place(number, entry.Key, entry.Parent)),
            (key, place) =>
            {
                if (_places.Count < _limits.KnownFiles)
                {
                    _places.TryAdd(key, place);
                }

                return _places.Count < _limits.KnownFiles;
            },
            maxChunked: _limits.KnownFiles);
        return true;
    }

    /// <summary>Catalogs that hang directly below one, if they are few and small.</summary>
    public IEnumerable<Guess> Below(Catalog catalog) => catalog.Nested.Count > _limits.NestedCatalogs
        ? []
        : catalog.Nested.Where(nested => nested.SizeBytes is > 0 && nested.SizeBytes <= _limits.NestedCatalogBytes)
            .Select(nested => new Guess(nested.Catalog, nested.SizeBytes, GuessRule.NestedCatalog));

    /// <summary>An object was read: what lies near it.</summary>
    public List<Guess> Near(ObjectKey key)
    {
        List<Guess> guesses = [];
        if (_places.TryGetValue(key, out Place place))
        {
            if (key.Kind == ObjectKind.Chunk)
            {
                AddChunks(place, key, guesses);
            }

            AddNeighbours(place, guesses);
        }

        return guesses;
    }

    /// <summary>The file that an object is, or begins; null: not known, or it has more chunks than are guessed at a time.</summary>
    public GuessedFile? FileOf(ObjectKey key)
    {
        if (!_places.TryGetValue(key, out Place place) || EntryOf(place) is not { Path.Length: > 0 } entry)
        {
            return null;
        }

        if (!entry.IsChunked)
        {
            return new GuessedFile(entry.Path, entry.SizeBytes, entry.IsStoredPlain, [key]);
        }

        List<CatalogChunk> chunks = [];
        return _catalogs[place.Catalog].ReadChunks(entry, chunks, 1 + _limits.NextChunks) is null && chunks.Count > 0
            && chunks[0].Object == key
            ? new GuessedFile(entry.Path, entry.SizeBytes, entry.IsStoredPlain, [.. chunks.Select(chunk => chunk.Object)])
            : null;
    }

    /// <summary>What a program needs, as far as it is known where it is.</summary>
    /// <param name="program">Its path.</param>
    /// <param name="needs">What it names.</param>
    public List<Guess> NeedsOf(string program, ProgramNeeds needs) => _needs.Of(program, needs);

    /// <inheritdoc/>
    public void Dispose() => _catalogs.Dispose();

    private void AddChunks(Place place, ObjectKey key, List<Guess> guesses)
    {
        if (_chunked.File != place.File && !_judged.Contains(place.File))
        {
            List<CatalogChunk> chunks = [];
            if (EntryOf(place) is not { IsChunked: true } entry
                || _catalogs[place.Catalog].ReadChunks(entry, chunks, MaxChunksOfFile) is not null)
            {
                _judged.Add(place.File);
                return;
            }

            _chunked = (place.File, chunks);
        }

        int at = _chunked.File == place.File ? _chunked.Chunks.FindIndex(chunk => chunk.Object == key) : -1;
        if (at >= 0)
        {
            guesses.AddRange(_chunked.Chunks.Skip(at + 1).Take(_limits.NextChunks)
                .Select(chunk => new Guess(chunk.Object, chunk.SizeBytes, GuessRule.NextChunk)));
        }
    }

    private void AddNeighbours(Place place, List<Guess> guesses)
    {
        if (!_firstRead.TryGetValue(place.Directory, out PathKey first))
        {
            _firstRead[place.Directory] = place.File;
            return;
        }

        Catalog catalog = _catalogs[place.Catalog];
        if (first == place.File || !_judged.Add(place.Directory)
            || catalog.PathOf(place.Directory, out string? directory) is not null || directory is null)
        {
            return;
        }

        List<CatalogEntry> files = [];
        long bytes = 0;
        string? problem = catalog.List(directory, entry =>
        {
            if (entry.HasObjects)
            {
                bytes += entry.SizeBytes;
                if (files.Count <= _limits.DirectoryFiles)
                {
                    files.Add(entry);
                }
            }
        });
        if (problem is null && files.Count <= _limits.DirectoryFiles && bytes <= _limits.DirectoryBytes)
        {
            files.ForEach(file => NeedsSearch.AddObjects(catalog, file, GuessRule.Neighbour, guesses));
        }
    }

    private CatalogEntry? EntryOf(Place place)
    {
        Catalog catalog = _catalogs[place.Catalog];
        return catalog.PathOf(place.File, out string? path) is null && path is not null
            && catalog.Find(path, out CatalogEntry? entry) is null
            ? entry
            : null;
    }

    /// <summary>Where an object's file is.</summary>
    private readonly record struct Place(int Catalog, PathKey File, PathKey Directory);
}
