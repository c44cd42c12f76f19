using System.Diagnostics.CodeAnalysis;
using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Guessing;

/// <summary>
/// The part of a repository's tree that is known so far, by the catalogs that clients read: where an object's file is, what is beside it,
/// and what a path leads to. Catalogs that are damaged, or beyond the limits, are left out. One thread at a time.
/// </summary>
internal sealed class GuessTree(GuessLimits limits) : IDisposable
{
    private const int MaxHops = 16;
    private const int MaxPathChars = 4096;
    private const int MaxChunksOfFile = 4096;

    private readonly List<Catalog> _catalogs = [];
    private readonly Dictionary<ObjectKey, Place> _places = [];
    private readonly Dictionary<PathKey, PathKey> _firstRead = [];   // directory → the file that was read first
    private readonly HashSet<PathKey> _judged = [];                  // directories that were looked at, files of too many chunks
    private (PathKey File, List<CatalogChunk> Chunks) _chunked = (default, []);
    private long _mostLookUps = long.MaxValue;                       // of the program that is looked at

    /// <summary>Names that were looked up in the catalogs since the beginning.</summary>
    internal long LookUps { get; private set; }

    private bool MayLookUp => LookUps < _mostLookUps;

    /// <summary>
    /// Takes a catalog over, also one that is damaged somewhere: what can be read of it is used. One of the same directory, of another
    /// revision, makes room.
    /// </summary>
    /// <returns>False: there is no room for it; it is closed.</returns>
    public bool TryAdd(Catalog catalog)
    {
        int number = _catalogs.FindIndex(known => known.Prefix == catalog.Prefix);
        if (number < 0 && _catalogs.Count >= limits.Catalogs)
        {
            catalog.Dispose();
            return false;
        }

        if (number < 0)
        {
            number = _catalogs.Count;
            _catalogs.Add(catalog);
        }
        else
        {
            _catalogs[number].Dispose();
            _catalogs[number] = catalog;
        }

        CatalogObjects.Scan<Place>(
            catalog,
            (_, entry) => (null, new Place(number, entry.Key, entry.Parent)),
            (key, place) =>
            {
                if (_places.Count < limits.KnownFiles)
                {
                    _places.TryAdd(key, place);
                }

                return _places.Count < limits.KnownFiles;
            },
            maxChunked: limits.KnownFiles);
        return true;
    }

    /// <summary>Catalogs that hang directly below one, if they are few and small.</summary>
    public IEnumerable<Guess> Below(Catalog catalog) => catalog.Nested.Count > limits.NestedCatalogs
        ? []
        : catalog.Nested.Where(nested => nested.SizeBytes is > 0 && nested.SizeBytes <= limits.NestedCatalogBytes)
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

    /// <summary>The file that is one object; null: not known, or it has chunks.</summary>
    public CatalogEntry? FileOf(ObjectKey key) =>
        _places.TryGetValue(key, out Place place) && EntryOf(place) is { IsChunked: false } entry ? entry : null;

    /// <summary>What a program needs, as far as it is known where it is.</summary>
    /// <param name="program">Its path.</param>
    /// <param name="needs">What it names.</param>
    public List<Guess> NeedsOf(string program, ProgramNeeds needs)
    {
        // The program is the publisher's: 128 libraries in 128 directories, each of hundreds of names, would take minutes.
        _mostLookUps = Math.Min(LookUps + limits.LookUpsOfProgram, limits.LookUps);
        string root = RootOf(program);
        List<Guess> guesses = [];
        foreach (string path in needs.Paths)
        {
            AddFile(root, path, guesses);
        }

        foreach (string command in needs.Commands)
        {
            _ = CommandDirectories.Any(directory => AddFile(root, $"{directory}/{command}", guesses));
        }

        string[] directories = [.. needs.LibraryPaths.Select(path => Expand(path, root, program)), .. LibraryDirectories(needs.Triplet)];
        foreach (string library in needs.Libraries)
        {
            _ = directories.Any(directory => AddFile(root, $"{directory}/{library}", guesses));
        }

        return guesses;
    }

    /// <inheritdoc/>
    public void Dispose() => _catalogs.ForEach(catalog => catalog.Dispose());

    private static string[] CommandDirectories => ["/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin"];

    private static string[] LibraryDirectories(string? triplet) =>
    [
        .. triplet is null ? (string[])[] : [$"/lib/{triplet}", $"/usr/lib/{triplet}"],
        "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib",
    ];

    /// <summary><c>$ORIGIN</c> is the program's own directory, below its root as all other paths.</summary>
    private static string Expand(string path, string root, string program)
    {
        string origin = program[root.Length..program.LastIndexOf('/')];
        return path.Replace("$ORIGIN", origin, StringComparison.Ordinal).Replace("${ORIGIN}", origin, StringComparison.Ordinal);
    }

    private void AddChunks(Place place, ObjectKey key, List<Guess> guesses)
    {
        if (_chunked.File != place.File && !_judged.Contains(place.File))
        {
            List<CatalogChunk> chunks = [];
            if (EntryOf(place) is not { IsChunked: true } entry || _catalogs[place.Catalog].ReadChunks(entry, chunks) is not null
                || chunks.Count > MaxChunksOfFile)
            {
                _judged.Add(place.File);
                return;
            }

            _chunked = (place.File, chunks);
        }

        int at = _chunked.File == place.File ? _chunked.Chunks.FindIndex(chunk => chunk.Object == key) : -1;
        if (at >= 0)
        {
            guesses.AddRange(_chunked.Chunks.Skip(at + 1).Take(limits.NextChunks)
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
                if (files.Count <= limits.DirectoryFiles)
                {
                    files.Add(entry);
                }
            }
        });
        if (problem is null && files.Count <= limits.DirectoryFiles && bytes <= limits.DirectoryBytes)
        {
            files.ForEach(file => AddObjects(catalog, file, GuessRule.Neighbour, guesses));
        }
    }

    private bool AddFile(string root, string path, List<Guess> guesses)
    {
        if (!MayLookUp || !TryResolve(root, path, out Catalog? catalog, out CatalogEntry? entry))
        {
            return false;
        }

        AddObjects(catalog, entry, GuessRule.Program, guesses);
        return true;
    }

    private static void AddObjects(Catalog catalog, CatalogEntry file, GuessRule rule, List<Guess> guesses)
    {
        List<ObjectKey> objects = [];
        if (catalog.ReadObjects(file, objects) is null && objects.Count <= ProgramNeeds.MaxNames)
        {
            guesses.AddRange(objects.Select(key => new Guess(key, file.SizeBytes / objects.Count, rule)));
        }
    }

    /// <summary>
    /// The root of the system that a program belongs to: the nearest directory above it that has an <c>etc</c> or <c>usr</c>.
    /// </summary>
    private string RootOf(string program)
    {
        for (int end = program.LastIndexOf('/'); end > 0; end = program.LastIndexOf('/', end - 1))
        {
            string directory = program[..end];
            if (Find($"{directory}/usr", out _) is not null || Find($"{directory}/etc", out _) is not null)
            {
                return directory;
            }
        }

        return "";
    }

    /// <summary>Follows a path below a root, links included, as a system whose root it is does.</summary>
    private bool TryResolve(string root, string path, [NotNullWhen(true)] out Catalog? catalog, [NotNullWhen(true)] out CatalogEntry? entry)
    {
        (catalog, entry) = (null, null);
        Stack<string> left = Names(path);
        List<string> way = [];
        for (int hops = 0; left.TryPop(out string? name);)
        {
            if (name is "." or "..")
            {
                if (name == ".." && way.Count > 0)
                {
                    way.RemoveAt(way.Count - 1);
                }

                continue;
            }

            way.Add(name);
            string at = $"{root}/{string.Join('/', way)}";
            entry = at.Length > MaxPathChars ? null : Find(at, out catalog);
            if (entry is null)
            {
                return false;
            }

            if (entry.IsLink)
            {
                if (++hops > MaxHops || entry.LinkTarget.Length == 0 || entry.LinkTarget.Contains('$', StringComparison.Ordinal))
                {
                    return false;
                }

                if (entry.LinkTarget[0] == '/')
                {
                    way.Clear();
                }
                else
                {
                    way.RemoveAt(way.Count - 1);
                }

                foreach (string further in Names(entry.LinkTarget).Reverse())
                {
                    left.Push(further);
                }

                entry = null;
            }
        }

        return entry is { HasObjects: true } && catalog is not null;
    }

    /// <summary>The names of a path; the first is on top.</summary>
    private static Stack<string> Names(string path) => new(path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());

    private CatalogEntry? Find(string path, out Catalog? owner)
    {
        owner = null;
        if (!MayLookUp)
        {
            return null;
        }

        LookUps++;
        owner = _catalogs.Where(catalog => path.StartsWith(catalog.Prefix, StringComparison.Ordinal)
            && (path.Length == catalog.Prefix.Length || path[catalog.Prefix.Length] == '/')).MaxBy(catalog => catalog.Prefix.Length);
        return owner is not null && owner.Find(path, out CatalogEntry? entry) is null ? entry : null;
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
