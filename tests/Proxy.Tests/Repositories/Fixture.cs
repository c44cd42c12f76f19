using System.Collections.Concurrent;
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using Breakwater.CacheStore;
using Breakwater.Proxy.Repositories;

namespace Breakwater.Proxy.Tests.Repositories;

/// <summary>One of the real repositories in tests/fixtures, in memory.</summary>
internal sealed class Fixture
{
    private static readonly ConcurrentDictionary<string, Fixture> Loaded = new();
    private readonly Dictionary<string, byte[]> _files = new(StringComparer.Ordinal);

    private Fixture(string name) => Name = name;

    public static IEnumerable<object[]> All =>
        [["tiny.example.org"], ["rmd.example.org"], ["shake.example.org"], ["nocomp.example.org"], ["minios.example.org"]];

    public static string Directory { get; } = FindDirectory();

    public string Name { get; }

    public byte[] ManifestBytes => _files[".cvmfspublished"];

    public byte[] WhitelistBytes => _files[".cvmfswhitelist"];

    public string PublicKeyPem => File.ReadAllText(Path.Combine(Directory, Name + ".pub"));

    public Manifest Manifest => Manifest.Parse(ManifestBytes).Value!;

    public byte[] CertificateBytes => Wire(Manifest.Certificate!.Value);

    public static Fixture Load(string name) => Loaded.GetOrAdd(name, _ =>
    {
        var fixture = new Fixture(name);
        using FileStream file = File.OpenRead(Path.Combine(Directory, name + ".tar"));
        using var tar = new TarReader(file);
        while (tar.GetNextEntry() is { } entry)
        {
            if (entry.DataStream is { } data)
            {
                using var copy = new MemoryStream();
                data.CopyTo(copy);
                fixture._files[entry.Name[(entry.Name.IndexOf(name, StringComparison.Ordinal) + name.Length + 1)..]] = copy.ToArray();
            }
        }

        return fixture;
    });

    /// <summary>A directory as a client's /etc/cvmfs/keys with this repository's key.</summary>
    public MasterKeys Keys()
    {
        using var keys = new TemporaryDirectory();
        File.WriteAllText(Path.Combine(keys.Path, Name + ".pub"), PublicKeyPem);
        return MasterKeys.Load(keys.Path);
    }

    public byte[] Wire(ObjectKey key) => _files[key.ToPath()];

    public bool Has(ObjectKey key) => _files.ContainsKey(key.ToPath());

    public byte[] Content(ObjectKey key, bool isStoredPlain)
    {
        byte[] wire = Wire(key);
        if (isStoredPlain)
        {
            return wire;
        }

        using var zlib = new ZLibStream(new MemoryStream(wire), CompressionMode.Decompress);
        using var content = new MemoryStream();
        zlib.CopyTo(content);
        return content.ToArray();
    }

    public Task<Parsed<Catalog>> OpenCatalog(ObjectKey key, CancellationToken cancellationToken = default) =>
        Has(key)
            ? Catalog.OpenAsync(new MemoryStream(Wire(key)), CatalogLimits.Default, cancellationToken)
            : Task.FromResult<Parsed<Catalog>>(new Malformed("It is not in the fixture."));

    public async Task<History> ReadHistory(ObjectKey key) =>
        (await History.ReadAsync(new MemoryStream(Wire(key)), CatalogLimits.Default)).Value!;

    /// <summary>Paths and SHA-256 of contents from a list as sha256sum writes it.</summary>
    public static Dictionary<string, string> ReadSums(string file) =>
        File.ReadLines(Path.Combine(Directory, file)).ToDictionary(line => "/" + line[66..], line => line[..64], StringComparer.Ordinal);

    /// <summary>Every file of a snapshot with the SHA-256 of the content that its objects inflate to.</summary>
    public async Task<Dictionary<string, string>> ReadTree(ObjectKey root)
    {
        Dictionary<string, string> sums = new(StringComparer.Ordinal);
        string? problem = await new CatalogTree(root, OpenCatalog).WalkAsync((catalog, _) =>
        {
            string? inner = null;
            return catalog.Walk(entry =>
            {
                if (entry.HasObjects)
                {
                    List<ObjectKey> objects = [];
                    inner ??= catalog.ReadObjects(entry, objects);
                    byte[] content = [.. objects.SelectMany(key => Content(key, entry.IsStoredPlain))];
                    Assert.Equal(entry.SizeBytes, content.Length);
                    sums.Add(entry.Path, Convert.ToHexStringLower(SHA256.HashData(content)));
                }
            }) ?? inner;
        });
        Assert.Null(problem);
        return sums;
    }

    private static string FindDirectory()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string candidate = Path.Combine(at.FullName, "tests", "fixtures");
            if (System.IO.Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        throw new DirectoryNotFoundException("tests/fixtures");
    }
}

/// <summary>A directory that is gone after the test.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("breakwater-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
