using Breakwater.CacheStore;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Seeding;

/// <summary>What counts as a repository, a document and an object in a directory that somebody copied.</summary>
public sealed class TreeSourceTests : IDisposable
{
    private static readonly FixtureRepository s_tiny = FixtureRepository.Tiny;
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("srv")]
    [InlineData("cvmfs/x")]
    public async Task Tree_OfARepository_IsFoundInItBelowItAndBelowCvmfs(string place)
    {
        Put(place, s_tiny, objects: 3);
        SeedIndex index = await IndexAsync();
        SeedRepository repository = Assert.Single(index.Repositories);
        Assert.Equal((s_tiny.Fqrn, 0UL, 0), (repository.Fqrn, repository.Revision, repository.Snapshots.Count));
        Assert.Equal(("tree", s_tiny.Fqrn, 3L), (index.Format, index.Name, index.Objects));
        Assert.Equal(s_tiny.Objects.OrderBy(o => o.Key.ToString()).Take(3).Sum(o => (long)o.Value.Length), index.ObjectBytes);
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("data/x")]
    public async Task Tree_OfARepositoryElsewhere_IsNone(string place)
    {
        Put(place, s_tiny, objects: 1);
        SeedRefusedException refused = await Assert.ThrowsAsync<SeedRefusedException>(IndexAsync);
        Assert.Equal(_directory.Path, refused.Entry);
        Assert.Contains("holds no repository", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tree_OfTwoRepositories_HasEachObjectOnceAndItsOwnName()
    {
        Put("one", FixtureRepository.Nocomp, objects: 0);
        Put("two", s_tiny, objects: 0);
        (ObjectKey key, byte[] bytes) = s_tiny.Objects.First(o => o.Key.Kind == ObjectKind.Plain);
        (ObjectKey certificate, byte[] its) = s_tiny.Objects.First(o => o.Key.Kind == ObjectKind.Certificate);
        PutObject("one", key, bytes);
        PutObject("two", key, bytes);
        PutObject("two", certificate, its);
        File.WriteAllText(_directory.Combine("two", "data", "note"), "not an object");
        File.WriteAllText(_directory.Combine("two", "data", certificate.ToString()[..2], "note"), "not an object");
        File.CreateSymbolicLink(
            _directory.Combine("two", "data", certificate.ToString()[..2], new string('0', 38)), _directory.Combine("two", "data", "note"));

        TreeSource source = new(new DirectoryInfo(_directory.Path), new SeedLimits(1 << 20));
        SeedIndex index = await source.ReadIndexAsync(default);
        Assert.Equal(["nocomp.example.org", "tiny.example.org"], index.Repositories.Select(repository => repository.Fqrn));
        Assert.Equal((2L, (long)bytes.Length + its.Length), (index.Objects, index.ObjectBytes));
        Assert.Equal(Path.GetFileName(_directory.Path), index.Name);
        Assert.Equal("", source.Identity);
        Seen seen = new();
        await source.ReadContentAsync(seen, default);
        Assert.Equal(
            [
                "cvmfs/nocomp.example.org/.cvmfspublished", "cvmfs/nocomp.example.org/.cvmfswhitelist",
                "cvmfs/tiny.example.org/.cvmfspublished", "cvmfs/tiny.example.org/.cvmfswhitelist",
                $"cvmfs/tiny.example.org/{certificate.ToPath()} {its.Length} of {its.Length}",
                $"cvmfs/nocomp.example.org/{key.ToPath()} {bytes.Length} of {bytes.Length}",
            ],
            seen.Names);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(-1, false)]
    public async Task Tree_OfALongObject_TakesAsMuchAsTheStoreDoes(int difference, bool isTaken)
    {
        Put("", s_tiny, objects: 0);
        (ObjectKey key, byte[] bytes) = s_tiny.Objects.First(o => o.Value.Length > 100);
        PutObject("", key, bytes);
        TreeSource source = new(new DirectoryInfo(_directory.Path), new SeedLimits(bytes.Length + difference));
        if (isTaken)
        {
            Assert.Equal(1, (await source.ReadIndexAsync(default)).Objects);
        }
        else
        {
            SeedRefusedException refused = await Assert.ThrowsAsync<SeedRefusedException>(() => source.ReadIndexAsync(default));
            Assert.EndsWith(
                $"has {bytes.Length} bytes; objects have {bytes.Length - 1} at most (Store:MaxObjectBytes).", refused.Message,
                StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(".cvmfswhitelist", 256 << 10, null)]
    [InlineData(".cvmfswhitelist", (256 << 10) + 1, "cvmfs/tiny.example.org/.cvmfswhitelist: has 262145 bytes.")]
    [InlineData("breakwater-seed/keys/tiny.example.org.pub", 64 << 10, null)]
    [InlineData("breakwater-seed/keys/tiny.example.org.pub", (64 << 10) + 1, "breakwater-seed/keys/tiny.example.org.pub: has 65537 bytes.")]
    public async Task Tree_OfALongDocument_TakesAsMuchAsItsKindHas(string file, int length, string? expected)
    {
        Put("", s_tiny, objects: 0);
        Directory.CreateDirectory(_directory.Combine("breakwater-seed", "keys"));
        File.WriteAllBytes(_directory.Combine(file), new byte[length]);
        TreeSource source = new(new DirectoryInfo(_directory.Path), new SeedLimits(1 << 20));
        await source.ReadIndexAsync(default);
        Task reading = source.ReadContentAsync(new Seen(), default);
        if (expected is null)
        {
            await reading;
        }
        else
        {
            Assert.Equal(expected, (await Assert.ThrowsAsync<SeedRefusedException>(() => reading)).Message);
        }
    }

    /// <summary>An unpacked bundle has its index, by which its documents are held.</summary>
    [Fact]
    public async Task Tree_OfAnUnpackedBundle_IsWhatItsIndexSays()
    {
        Put("cvmfs/tiny.example.org", s_tiny, objects: 0);
        SmallBundle bundle = new();
        bundle.Fqrns[0] = s_tiny.Fqrn;
        bundle.Documents.Add(("cvmfs/tiny.example.org/.cvmfspublished", s_tiny.Files[".cvmfspublished"]));
        byte[] index = bundle.Index().ToBytes();
        Directory.CreateDirectory(_directory.Combine("breakwater-seed"));
        File.WriteAllBytes(_directory.Combine(SeedPath.Index), index);
        File.WriteAllBytes(_directory.Combine(SeedPath.Checksums), IndexChecksums.Of(index));
        TreeSource source = new(new DirectoryInfo(_directory.Path), new SeedLimits(1 << 20));
        Assert.Equal(index, (await source.ReadIndexAsync(default)).ToBytes());
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(index)), source.Identity);
        await source.ReadContentAsync(new Seen(), default);

        File.AppendAllText(_directory.Combine("cvmfs", "tiny.example.org", ".cvmfspublished"), "x");
        source = new(new DirectoryInfo(_directory.Path), new SeedLimits(1 << 20));
        await source.ReadIndexAsync(default);
        Assert.Equal(
            "cvmfs/tiny.example.org/.cvmfspublished: does not have the SHA-256 that the index states.",
            (await Assert.ThrowsAsync<SeedRefusedException>(() => source.ReadContentAsync(new Seen(), default))).Message);
    }

    private Task<SeedIndex> IndexAsync() =>
        new TreeSource(new DirectoryInfo(_directory.Path), new SeedLimits(1 << 20)).ReadIndexAsync(default);

    private void Put(string place, FixtureRepository repository, int objects)
    {
        string root = _directory.Combine(place);
        Directory.CreateDirectory(root);
        foreach (string file in (string[])[".cvmfspublished", ".cvmfswhitelist"])
        {
            File.WriteAllBytes(Path.Combine(root, file), repository.Files[file]);
        }

        foreach ((ObjectKey key, byte[] bytes) in repository.Objects.OrderBy(o => o.Key.ToString()).Take(objects))
        {
            PutObject(place, key, bytes);
        }
    }

    private void PutObject(string place, ObjectKey key, byte[] bytes)
    {
        string path = _directory.Combine(place, key.ToPath());
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
    }

    private sealed class Seen : ISeedVisitor
    {
        private int _bytes;

        public List<string> Names { get; } = [];

        public ValueTask OnDocumentAsync(string name, byte[] bytes, long offset, CancellationToken cancellationToken)
        {
            Assert.Equal(-1, offset);
            Names.Add(name);
            return default;
        }

        public ValueTask OnObjectAsync(SeedPath path, string name, long length, long offset, CancellationToken cancellationToken)
        {
            Assert.Equal((-1L, name), (offset, SeedPath.OfObject(path.Fqrn, path.Key)));
            Names.Add($"{name} {length}");
            _bytes = 0;
            return default;
        }

        public ValueTask OnObjectBytesAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            _bytes += bytes.Length;
            return default;
        }

        public ValueTask OnObjectEndAsync(CancellationToken cancellationToken)
        {
            Names[^1] += $" of {_bytes}";
            return default;
        }

        public void OnLink(SeedPath path) => throw new NotSupportedException("A tree has no links.");
    }
}
