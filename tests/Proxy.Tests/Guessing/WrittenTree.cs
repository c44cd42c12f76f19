using System.Text;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Tests.Repositories.Writing;
using Breakwater.Proxy.Tests.Snapshots;
using Breakwater.Repositories;
using Breakwater.Repositories.Writing;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Guessing;

/// <summary>Writes catalogs of paths that a test states, and opens them.</summary>
internal sealed class WrittenTree : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly CatalogLimits _limits = CatalogLimits.Default with { OpenBytes = new OverflowBudget(1 << 30) };
    private int _files;

    /// <summary>Bytes of the catalogs that are open.</summary>
    public long OpenBytes => _limits.OpenBytes.Taken;

    /// <inheritdoc/>
    public void Dispose() => _directory.Dispose();

    /// <summary>A catalog of these paths below its root; no link and no byte: a directory.</summary>
    public Catalog Open(string prefix, IEnumerable<(string Path, string? Link, int Bytes)> entries, Action<CatalogWriter>? more = null)
    {
        string file = _directory.Combine($"catalog{_files++}");
        using (var writer = new CatalogWriter(file, new CatalogHead
        {
            Prefix = Encoding.UTF8.GetBytes(prefix),
            Revision = 1,
            Ttl = TimeSpan.FromMinutes(4),
            ModifiedAt = DateTimeOffset.UnixEpoch,
        }))
        {
            writer.Add(RowOf(prefix, null, 0));
            foreach ((string path, string? link, int bytes) in entries.Where(entry => "/" + entry.Path != prefix))
            {
                writer.Add(RowOf("/" + path, link, bytes));
            }

            more?.Invoke(writer);
            writer.Complete(default, default);
        }

        Parsed<Catalog> opened = Catalog.OpenAsync(WrittenDatabase.Wire(file), _limits).GetAwaiter().GetResult();
        Assert.True(opened.TryGet(out Catalog? catalog, out string? problem), problem);
        return catalog;
    }

    /// <summary>The object of the file at a path.</summary>
    public static ObjectKey KeyOf(string path) => SmallSnapshot.ObjectOf("/" + path);

    /// <summary>The row of a path: of a link, of a file with some bytes, or of a directory.</summary>
    public static CatalogRow RowOf(string path, string? link, int bytes)
    {
        CatalogFlags flags = link is not null ? CatalogFlags.File | CatalogFlags.Link
            : bytes > 0 ? CatalogFlags.File : CatalogFlags.Directory;
        return SmallSnapshot.Row(path, flags, link ?? "") with { SizeBytes = bytes };
    }
}
