using System.Security.Cryptography;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Repositories;
using Breakwater.Repositories.Writing;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Repositories;

/// <summary>A repository on a server that nobody has signed, with the catalogs, tags and files that a test wants.</summary>
internal sealed class WrittenRepository(ScriptedUpstream server, string fqrn) : IDisposable
{
    /// <summary>Stored as it is.</summary>
    private const CatalogFlags Plain = (CatalogFlags)(1 << 11);

    private readonly TemporaryDirectory _directory = new();
    private readonly Dictionary<ObjectKey, long> _inflated = [];
    private int _files;

    /// <summary>A file on the server, for a catalog.</summary>
    internal readonly record struct Entry(string Path, ObjectKey Key, long Bytes, bool IsPlain);

    /// <summary>Where the server has an object.</summary>
    public string UrlOf(ObjectKey key) => $"/cvmfs/{fqrn}/{key.ToPath()}";

    /// <summary>What a catalog takes where it is open.</summary>
    public long InflatedBytesOf(ObjectKey catalog) => _inflated[catalog];

    /// <summary>Puts an object on the server, as it is on the wire.</summary>
    public ObjectKey Put(byte[] wire, ObjectKind kind)
    {
        var key = new ObjectKey(SHA1.HashData(wire), DigestAlgorithm.Sha1, kind);
        server.Put(UrlOf(key), wire);
        return key;
    }

    /// <summary>Puts a file on the server.</summary>
    public Entry PutFile(string path, string content, bool isPlain = false)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(content);
        return new Entry(path, Put(isPlain ? bytes : Packed.Zlib(bytes), ObjectKind.Plain), bytes.Length, isPlain);
    }

    /// <summary>Puts a catalog on the server, with the directories that its files and nested catalogs need.</summary>
    public ObjectKey PutCatalog(string prefix, IReadOnlyList<Entry> files, params (string Path, ObjectKey Key, long Bytes)[] nested)
    {
        string file = _directory.Combine($"written{_files++}");
        var head = new CatalogHead
        {
            Prefix = Encoding.UTF8.GetBytes(prefix),
            Revision = 1,
            Ttl = TimeSpan.FromMinutes(4),
            ModifiedAt = DateTimeOffset.UnixEpoch,
        };
        using (var writer = new CatalogWriter(file, head))
        {
            writer.Add(Row(prefix, CatalogFlags.Directory, 4096, default));
            foreach (string directory in Directories(prefix, [.. files.Select(one => one.Path), .. nested.Select(one => one.Path + "/")]))
            {
                writer.Add(Row(directory, CatalogFlags.Directory, 4096, default));
            }

            foreach (Entry one in files)
            {
                byte[] digest = new byte[ObjectKey.DigestSizeBytes];
                one.Key.CopyDigestTo(digest);
                writer.Add(Row(one.Path, one.IsPlain ? CatalogFlags.File | Plain : CatalogFlags.File, one.Bytes, digest));
            }

            foreach ((string path, ObjectKey key, long bytes) in nested)
            {
                writer.AddNested(Encoding.UTF8.GetBytes(path), key, bytes);
            }

            writer.Complete(default, default);
        }

        ObjectKey catalog = PutDatabase(file, ObjectKind.Catalog);
        _inflated[catalog] = new FileInfo(file).Length;
        return catalog;
    }

    /// <summary>Puts the list of tags on the server, one for each of these root catalogs.</summary>
    public ObjectKey PutHistory(params ObjectKey[] roots)
    {
        string file = _directory.Combine($"written{_files++}");
        HistoryWriter.Write(
            file, Fqrn.Parse(fqrn), null, roots.Select((root, i) => new Tag($"v{i}", root, (ulong)i + 1, DateTimeOffset.UnixEpoch)));
        return PutDatabase(file, ObjectKind.History);
    }

    /// <summary>Puts the manifest on the server; null: the repository has no tags.</summary>
    public void Publish(ulong revision, ObjectKey root, ObjectKey? history = null)
    {
        string text = $"C{root.ToString()[..40]}\nRd41d8cd98f00b204e9800998ecf8427e\nD240\nS{revision}\nN{fqrn}\n";
        text += history is { } tags ? $"H{tags.ToString()[..40]}\n" : "";
        string hash = Convert.ToHexStringLower(SHA1.HashData(Encoding.ASCII.GetBytes(text)));
        server.Put($"/cvmfs/{fqrn}/.cvmfspublished", Encoding.ASCII.GetBytes($"{text}--\n{hash}\n"));
    }

    public void Dispose() => _directory.Dispose();

    private ObjectKey PutDatabase(string file, ObjectKind kind) => Put(Packed.Zlib(File.ReadAllBytes(file)), kind);

    /// <summary>Those below the prefix in which these paths are, parents before what is in them.</summary>
    private static IEnumerable<string> Directories(string prefix, IReadOnlyList<string> paths)
    {
        HashSet<string> all = [];
        foreach (string path in paths)
        {
            for (int end = path.IndexOf('/', prefix.Length + 1); end > 0; end = path.IndexOf('/', end + 1))
            {
                all.Add(path[..end]);
            }
        }

        return all.Order(StringComparer.Ordinal);
    }

    private static CatalogRow Row(string path, CatalogFlags flags, long bytes, ReadOnlyMemory<byte> digest) => new()
    {
        Key = PathKey.Of(path),
        Parent = path.Length == 0 ? default : PathKey.Of(path[..path.LastIndexOf('/')]),
        Name = Encoding.UTF8.GetBytes(path[(path.LastIndexOf('/') + 1)..]),
        Flags = flags,
        SizeBytes = bytes,
        Mode = 0x81a4,
        ModifiedAt = 0,
        Uid = 0,
        Gid = 0,
        HardLinks = 1,
        Digest = digest,
    };
}
