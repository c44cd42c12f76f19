using System.Globalization;
using Breakwater.CacheStore;
using Breakwater.Laboratory.Stratum1;

namespace Breakwater.Proxy.Commands.Demo;

/// <summary>
/// The repository of the demo, in memory: a miniature operating system, signed with the real CernVM-FS server tools, and the requests
/// that the real client made when it booted either of its two revisions. Immutable.
/// </summary>
internal sealed class DemoRepository
{
    /// <summary>The repository's name.</summary>
    public const string Fqrn = "minios.example.org";

    private const string Root = "/cvmfs/" + Fqrn + "/";

    private readonly Dictionary<string, byte[]> _files;
    private readonly byte[][] _manifests;

    private DemoRepository(Dictionary<string, byte[]> files, byte[][] manifests, string[][] bootRequests)
    {
        _files = files;
        _manifests = manifests;
        Boots = [.. bootRequests.Select((paths, i) => BootPlan.Create(paths, path => Find(path, i + 1)))];
    }

    /// <summary>The path of the manifest.</summary>
    public static string ManifestPath { get; } = Root + ".cvmfspublished";

    /// <summary>Number of files on the Stratum 1.</summary>
    public int FileCount => _files.Count;

    /// <summary>The recorded boots: of revision 1, of revision 2.</summary>
    public IReadOnlyList<BootPlan> Boots { get; }

    /// <summary>Number of objects that a boot of revision 2 asks for and one of revision 1 does not.</summary>
    public int ObjectsNewInRevision2 => Boots[1].Objects.Except(Boots[0].Objects).Count();

    /// <summary>Reads what lies beside the executable in <c>demo/</c>.</summary>
    /// <exception cref="DemoFailedException">It is not there or not readable.</exception>
    public static DemoRepository Load()
    {
        string directory = Path.Combine(AppContext.BaseDirectory, "demo");
        try
        {
            return new DemoRepository(
                RepositoryTree.Read(Path.Combine(directory, Fqrn + ".tar")).ToDictionary(f => f.Path, f => f.Body, StringComparer.Ordinal),
                [ReadManifest(1), ReadManifest(2)],
                [ReadBoot(1), ReadBoot(2)]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DemoFailedException(
                $"The demo's repository cannot be read: {e.Message} It belongs beside the executable, in {directory}: "
                    + "reinstall or rebuild.", e);
        }

        byte[] ReadManifest(int revision) => File.ReadAllBytes(Path.Combine(directory, "minios", Numbered("cvmfspublished.v", revision)));
        string[] ReadBoot(int revision) =>
            File.ReadAllLines(Path.Combine(directory, "minios", Numbered("boot-requests.v", revision) + ".txt"));
        static string Numbered(string name, int revision) => name + revision.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>What a Stratum 1 answers for a path while a revision is the newest. Null: it does not have it.</summary>
    /// <param name="path">The whole path, <c>/cvmfs/…</c>.</param>
    /// <param name="revision">1 or 2.</param>
    public byte[]? Find(string path, int revision) => path == ManifestPath ? _manifests[revision - 1] : _files.GetValueOrDefault(path);

    /// <summary>All that a Stratum 1 has while a revision is the newest.</summary>
    public IEnumerable<ServedObject> Served(int revision) =>
        _files.Select(file => new ServedObject(file.Key, file.Value)).Append(new ServedObject(ManifestPath, _manifests[revision - 1]));

    /// <summary>Is this the path of an object of the repository, and which?</summary>
    public static bool TryParseObject(string path, out ObjectKey key)
    {
        const string Data = Root + "data/";
        key = default;
        return path.StartsWith(Data, StringComparison.Ordinal) && path.Length > Data.Length + 3 && path[Data.Length + 2] == '/'
            && ObjectKey.TryParse(path.Remove(Data.Length + 2, 1).AsSpan(Data.Length), out key);
    }
}
