using System.Security.Cryptography;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Tests.Repositories.Writing;
using Breakwater.Repositories;
using Breakwater.Repositories.Writing;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Snapshots;

/// <summary>A snapshot of one catalog with just the files that a test needs.</summary>
internal sealed class SmallSnapshot : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly string _file;

    /// <summary>Writes it.</summary>
    /// <param name="lines">
    /// Absolute paths, directories before what is in them: <c>/d/</c> a directory, <c>/l -> target</c> a link, else a file.
    /// </param>
    public SmallSnapshot(params string[] lines)
        : this(_ => { }, lines)
    {
    }

    /// <summary>Writes it.</summary>
    /// <param name="more">Writes what no line says.</param>
    /// <param name="lines">As of the other.</param>
    public SmallSnapshot(Action<CatalogWriter> more, params string[] lines)
    {
        _file = _directory.Combine("catalog");
        var head = new CatalogHead
        {
            Prefix = default,
            Revision = 1,
            Ttl = TimeSpan.FromMinutes(4),
            ModifiedAt = DateTimeOffset.UnixEpoch.AddYears(50),
        };
        using var writer = new CatalogWriter(_file, head);
        writer.Add(Row("", CatalogFlags.Directory, ""));
        foreach (string line in lines)
        {
            string[] parts = line.Split(" -> ");
            writer.Add(parts.Length == 2 ? Row(parts[0], CatalogFlags.File | CatalogFlags.Link, parts[1])
                : line.EndsWith('/') ? Row(line[..^1], CatalogFlags.Directory, "")
                : Row(line, CatalogFlags.File, ""));
        }

        more(writer);
        writer.Complete(default, default);
    }

    public ObjectKey Root { get; } = new(SHA1.HashData("root"u8), DigestAlgorithm.Sha1, ObjectKind.Catalog);

    public CatalogTree Tree => new(Root, (_, cancellation) =>
        Catalog.OpenAsync(WrittenDatabase.Wire(_file), CatalogLimits.Default, cancellation));

    /// <summary>The object of a file.</summary>
    public static ObjectKey ObjectOf(string path) =>
        new(SHA1.HashData(Encoding.UTF8.GetBytes(path)), DigestAlgorithm.Sha1, ObjectKind.Plain);

    /// <summary>What these paths mean in it.</summary>
    public async Task<Resolution> ResolveAsync(params string[] paths) => (await SnapshotResolver.ResolveAsync(
        Tree, paths.Select((path, i) => new WantedPath(i, PathPattern.Literal(path))))).Value!;

    public void Dispose() => _directory.Dispose();

    /// <summary>A row of a path; a link has a target.</summary>
    internal static CatalogRow Row(string path, CatalogFlags flags, string target) => new()
    {
        Key = PathKey.Of(path),
        Parent = path.Length == 0 ? default : PathKey.Of(path[..path.LastIndexOf('/')]),
        Name = Encoding.UTF8.GetBytes(path[(path.LastIndexOf('/') + 1)..]),
        Flags = flags,
        SizeBytes = (flags & CatalogFlags.Directory) != 0 ? 4096 : Math.Max(1, target.Length),
        Mode = (flags & CatalogFlags.Directory) != 0 ? 0x41edu : (flags & CatalogFlags.Link) != 0 ? 0xa1ffu : 0x81a4u,
        ModifiedAt = 0,
        Uid = 0,
        Gid = 0,
        HardLinks = CatalogRow.LinksOf(0, 1),
        Digest = flags == CatalogFlags.File ? SHA1.HashData(Encoding.UTF8.GetBytes(path)) : default(ReadOnlyMemory<byte>),
        LinkTarget = Encoding.UTF8.GetBytes(target),
    };
}
