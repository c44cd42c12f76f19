using System.Collections.Frozen;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Guessing;

/// <summary>
/// The catalogs of a repository that are known so far, and what is looked up in them: it is counted, since what is looked for is the
/// publisher's. One thread at a time.
/// </summary>
internal sealed class GuessCatalogs(GuessLimits limits) : IDisposable
{
    private const int CharsBeside = 32; // what a name takes beside its characters

    private readonly List<Catalog> _catalogs = [];
    private readonly Dictionary<string, HashSet<string>> _listed = new(StringComparer.Ordinal); // names in directories
    private int _chars;                                                                         // of them
    private long _most = long.MaxValue;

    /// <summary>Names that were looked up since the beginning.</summary>
    public long LookUps { get; private set; }

    /// <summary>May more be looked up for the program that is looked at?</summary>
    public bool MayLookUp => LookUps < _most;

    /// <summary>A catalog by the number that it was given.</summary>
    public Catalog this[int number] => _catalogs[number];

    /// <summary>Takes a catalog over; one of the same directory, of another revision, makes room.</summary>
    /// <returns>False: there is no room for it.</returns>
    public bool TryAdd(Catalog catalog, out int number)
    {
        number = _catalogs.FindIndex(known => known.Prefix == catalog.Prefix);
        if (number < 0 && _catalogs.Count >= limits.Catalogs)
        {
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

        ForgetNames();
        return true;
    }

    /// <summary>From here on what one program needs is looked up: 128 libraries in 128 directories would take minutes.</summary>
    public void BeginProgram() => _most = Math.Min(LookUps + limits.LookUpsOfProgram, limits.LookUps);

    /// <summary>Looks a path up.</summary>
    /// <param name="path">Absolute, links not followed.</param>
    /// <param name="owner">The catalog that has the entry.</param>
    public CatalogEntry? Find(string path, out Catalog? owner)
    {
        owner = null;
        if (!MayLookUp)
        {
            return null;
        }

        LookUps++;
        owner = OwnerOf(path);
        return owner is not null && owner.Find(path, out CatalogEntry? entry) is null ? entry : null;
    }

    /// <summary>Names in a directory; none: it is not known. Of a large one those that have room.</summary>
    public IReadOnlySet<string> NamesIn(string directory)
    {
        if (!MayLookUp)
        {
            return FrozenSet<string>.Empty;
        }

        LookUps++;
        if (_listed.TryGetValue(directory, out HashSet<string>? names))
        {
            return names;
        }

        names = new HashSet<string>(StringComparer.Ordinal);
        long rows = 0;
        int chars = directory.Length + CharsBeside;
        OwnerOf(directory)?.List(directory, entry =>
        {
            rows++;
            string name = Path.GetFileName(entry.Path);
            if (chars < limits.ListedChars / 4 && names.Add(name))
            {
                chars += name.Length + CharsBeside;
            }
        });
        LookUps += rows / 16; // in one go they are read much faster than one by one
        if (_chars + chars > limits.ListedChars)
        {
            ForgetNames();
        }

        _chars += chars;
        _listed.Add(directory, names);
        return names;
    }

    /// <inheritdoc/>
    public void Dispose() => _catalogs.ForEach(catalog => catalog.Dispose());

    private Catalog? OwnerOf(string path) => _catalogs.Where(catalog => path.StartsWith(catalog.Prefix, StringComparison.Ordinal)
        && (path.Length == catalog.Prefix.Length || path[catalog.Prefix.Length] == '/')).MaxBy(catalog => catalog.Prefix.Length);

    private void ForgetNames()
    {
        _listed.Clear();
        _chars = 0;
    }
}
