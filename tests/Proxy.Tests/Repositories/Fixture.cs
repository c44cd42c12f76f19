using System.IO.Compression;
using System.Security.Cryptography;
using Breakwater.CacheStore;
using Breakwater.Repositories;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Repositories;

/// <summary>A fixture repository as the readers of this room see it.</summary>
internal sealed class Fixture(FixtureRepository repository)
{
    public static IEnumerable<object[]> All => FixtureRepository.AllFqrns.Select(name => new object[] { name });

    public static string Directory => FixtureRepository.FixturesDirectory;

    public string Name => repository.Fqrn;

    public Fqrn Fqrn => Fqrn.Parse(Name);

    public byte[] ManifestBytes => repository.Files[".cvmfspublished"];

    public byte[] WhitelistBytes => repository.Files[".cvmfswhitelist"];

    public string PublicKeyPem => File.ReadAllText(repository.MasterKeyPath);

    public Manifest Manifest => Manifest.Parse(ManifestBytes).Value!;

    public byte[] CertificateBytes => Wire(Manifest.Certificate!.Value);

    public static Fixture Load(string name) => new(FixtureRepository.Load(name));

    /// <summary>A directory as a client's /etc/cvmfs/keys with this repository's key.</summary>
    public MasterKeys Keys()
    {
        using var keys = new TemporaryDirectory();
        File.WriteAllText(Path.Combine(keys.Path, Name + ".pub"), PublicKeyPem);
        return MasterKeys.Load(keys.Path);
    }

    public byte[] Wire(ObjectKey key) => repository.Objects[key];

    public bool Has(ObjectKey key) => repository.Objects.ContainsKey(key);

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
}
