using System.Text;
using Breakwater.CacheStore;
using Breakwater.Repositories;
using Breakwater.TestSupport;

namespace Breakwater.Mount.Tests;

/// <summary>A tree of a fixture as the mount has it, without the kernel.</summary>
internal sealed class MountedTree : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly Downloads _downloads;
    private readonly CatalogPool _catalogs;

    public MountedTree(FixtureRepository repository, string server)
        : this(repository.Fqrn, server)
    {
        Assert.True(Manifest.Parse(repository.Files[".cvmfspublished"]).TryGet(out Manifest? manifest, out string? problem), problem);
        Assert.True(Tree.Begin(manifest.RootCatalog));
    }

    public MountedTree(SmallRepository repository, ObjectKey rootCatalog)
        : this(SmallRepository.Fqrn, repository.Server.Address) =>
        Assert.True(Tree.Begin(rootCatalog));

    /// <summary>Not begun yet.</summary>
    public MountedTree(string fqrn, string server)
    {
        var routes = new Routes(Routes.Parse(fqrn, server, "DIRECT"), TimeProvider.System);
        _downloads = new Downloads(routes, TimeProvider.System);
        var source = new ObjectSource(_downloads, _directory.Path, TimeSpan.Zero, TimeProvider.System, _ => { });
        _catalogs = new CatalogPool(source, new CatalogLimits { TemporaryDirectory = _directory.Path }, 4, _ => { });
        Tree = new Tree(_catalogs, new ContentCache(source, 4 << 20, 16, _ => { }));
    }

    public Tree Tree { get; }

    /// <summary>The node of a path, with one reference more to each of its parts.</summary>
    public Node Walk(string path)
    {
        Node node = Tree.Nodes.Find(1)!;
        foreach (string name in path.Split('/'))
        {
            (int error, Node? child) = Tree.Lookup(node, Encoding.UTF8.GetBytes(name));
            Assert.Equal(0, error);
            node = child!;
        }

        return node;
    }

    public byte[] ReadFile(string path)
    {
        Node node = Walk(path);
        byte[] bytes = new byte[node.Entry.SizeBytes];
        for (int at = 0; at < bytes.Length; at += 100_003)
        {
            Span<byte> piece = bytes.AsSpan(at, Math.Min(100_003, bytes.Length - at));
            Assert.Equal(0, Tree.Read(node, at, piece, CancellationToken.None));
        }

        return bytes;
    }

    public void Dispose()
    {
        _catalogs.Dispose();
        _downloads.Dispose();
        _directory.Dispose();
    }
}
