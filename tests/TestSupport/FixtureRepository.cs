using System.Collections.Concurrent;
using System.Formats.Tar;
using Breakwater.CacheStore;

namespace Breakwater.TestSupport;

/// <summary>
/// A real CernVM-FS repository from <c>perf/Laboratory/fixtures</c>: the tree that a Stratum 1 serves under
/// <c>/cvmfs/&lt;fqrn&gt;/</c>, read into memory straight from its tar. Immutable and shared by all tests of the process; nobody may write
/// to the arrays.
/// </summary>
public sealed class FixtureRepository
{
    private static readonly ConcurrentDictionary<string, Lazy<FixtureRepository>> s_loaded = new();

    private FixtureRepository(string fqrn, Dictionary<string, byte[]> files)
    {
        Fqrn = fqrn;
        Files = files;
        Dictionary<ObjectKey, byte[]> objects = [];
        foreach ((string path, byte[] bytes) in files)
        {
            if (TryParseObjectPath(path, out ObjectKey key))
            {
                objects.Add(key, bytes);
            }
        }

        Objects = objects;
    }

    /// <summary>Fixture with SHA-1 and zlib, nested catalogs, tags, a chunked file.</summary>
    public static FixtureRepository Tiny => Load("tiny.example.org");

    /// <summary>The content of <see cref="Tiny"/>, hashed with RIPEMD-160.</summary>
    public static FixtureRepository Rmd => Load("rmd.example.org");

    /// <summary>The content of <see cref="Tiny"/>, hashed with SHAKE-128.</summary>
    public static FixtureRepository Shake => Load("shake.example.org");

    /// <summary>Uncompressed and zlib objects in one repository.</summary>
    public static FixtureRepository Nocomp => Load("nocomp.example.org");

    /// <summary>A miniature operating system with two revisions and the recorded boots of both.</summary>
    public static FixtureRepository MiniOs => Load("minios.example.org");

    /// <summary>The fully qualified names of all fixtures.</summary>
    public static IReadOnlyList<string> AllFqrns { get; } =
        ["tiny.example.org", "rmd.example.org", "shake.example.org", "nocomp.example.org", "minios.example.org"];

    /// <summary>The directory <c>perf/Laboratory/fixtures</c> of this checkout.</summary>
    public static string FixturesDirectory { get; } = FindFixturesDirectory();

    /// <summary>The repository's name.</summary>
    public string Fqrn { get; }

    /// <summary>Every file by its path below the repository's root, e.g. <c>.cvmfspublished</c>, <c>data/ab/cdef…C</c>.</summary>
    public IReadOnlyDictionary<string, byte[]> Files { get; }

    /// <summary>Every content-addressed object: its bytes as they are on the wire.</summary>
    public IReadOnlyDictionary<ObjectKey, byte[]> Objects { get; }

    /// <summary>The files that are no objects: signed documents and the reflog.</summary>
    public IEnumerable<KeyValuePair<string, byte[]>> Documents => Files.Where(f => !TryParseObjectPath(f.Key, out _));

    /// <summary>The largest object of the fixture.</summary>
    public ObjectKey LargestObject => Objects.MaxBy(o => o.Value.Length).Key;

    /// <summary>The repository's master public key, PEM.</summary>
    public string MasterKeyPath => Path.Combine(FixturesDirectory, Fqrn + ".pub");

    /// <summary>Loads a fixture by its name; the second call answers the first one's instance.</summary>
    public static FixtureRepository Load(string fqrn) =>
        s_loaded.GetOrAdd(fqrn, static name => new Lazy<FixtureRepository>(() => new FixtureRepository(name, ReadTar(name)))).Value;

    /// <summary>The path on a Stratum 1, e.g. <c>/cvmfs/tiny.example.org/.cvmfspublished</c>.</summary>
    public string UrlPath(string file) => $"/cvmfs/{Fqrn}/{file}";

    /// <summary>The path of an object on a Stratum 1.</summary>
    public string UrlPath(in ObjectKey key) => UrlPath(key.ToPath());

    /// <summary>Writes the tree to <paramref name="directory"/><c>/&lt;fqrn&gt;/</c> and returns that path.</summary>
    public string WriteTo(string directory)
    {
        string root = Path.Combine(directory, Fqrn);
        foreach ((string path, byte[] bytes) in Files)
        {
            string target = Path.Combine(root, path);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.WriteAllBytes(target, bytes);
        }

        return root;
    }

    /// <summary>A file of the fixtures' directory, e.g. <c>minios/cvmfspublished.v2</c>.</summary>
    public static byte[] ReadFixtureFile(string relativePath) => File.ReadAllBytes(Path.Combine(FixturesDirectory, relativePath));

    /// <summary>The URLs (paths) that the recorded boot of <see cref="MiniOs"/> asks for, in order.</summary>
    /// <param name="revision">1 or 2.</param>
    public static IReadOnlyList<string> BootRequests(int revision) =>
        File.ReadAllLines(Path.Combine(FixturesDirectory, "minios", $"boot-requests.v{revision}.txt"));

    /// <summary>Is this path below a repository's root that of an object?</summary>
    public static bool TryParseObjectPath(ReadOnlySpan<char> path, out ObjectKey key)
    {
        key = default;
        return path.StartsWith("data/") && path.Length > 8 && path[7] == '/'
            && ObjectKey.TryParse(string.Concat(path.Slice(5, 2), path[8..]), out key);
    }

    private static Dictionary<string, byte[]> ReadTar(string fqrn)
    {
        using FileStream file = File.OpenRead(Path.Combine(FixturesDirectory, fqrn + ".tar"));
        using TarReader tar = new(file);
        Dictionary<string, byte[]> files = new(StringComparer.Ordinal);
        while (tar.GetNextEntry() is { } entry)
        {
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
            {
                continue;
            }

            byte[] bytes = new byte[entry.Length];
            entry.DataStream?.ReadExactly(bytes);
            files.Add(entry.Name[(fqrn.Length + 1)..], bytes);
        }

        return files;
    }

    private static string FindFixturesDirectory()
    {
        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            string candidate = Path.Combine(directory.FullName, "perf", "Laboratory", "fixtures");
            if (Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        throw new DirectoryNotFoundException(
            $"No perf/Laboratory/fixtures above {AppContext.BaseDirectory}: run the tests from a checkout.");
    }
}
