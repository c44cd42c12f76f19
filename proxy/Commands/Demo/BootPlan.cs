using Breakwater.CacheStore;

namespace Breakwater.Proxy.Commands.Demo;

/// <summary>The requests of one boot, as recorded: what a mount asks for, one after the other, and what is read from then on.</summary>
internal sealed class BootPlan
{
    private BootPlan(IReadOnlyList<BootRequest> mount, IReadOnlyList<BootRequest> files)
    {
        Mount = mount;
        Files = files;
        Objects = mount.Concat(files).Where(r => r.IsObject).Select(r => r.Key).ToHashSet();
    }

    /// <summary>Documents, certificate, history and catalogs, in order: each is needed to know the next.</summary>
    public IReadOnlyList<BootRequest> Mount { get; }

    /// <summary>Files and chunks, in the order of the recording.</summary>
    public IReadOnlyList<BootRequest> Files { get; }

    /// <summary>Requests in all.</summary>
    public int Count => Mount.Count + Files.Count;

    /// <summary>The distinct objects that the boot asks for.</summary>
    public IReadOnlySet<ObjectKey> Objects { get; }

    /// <summary>Makes a plan of recorded paths.</summary>
    /// <param name="paths">Paths, <c>/cvmfs/…</c>, in order.</param>
    /// <param name="find">The right bytes of a path, null when there are none.</param>
    public static BootPlan Create(IReadOnlyList<string> paths, Func<string, byte[]?> find)
    {
        List<BootRequest> mount = [];
        List<BootRequest> files = [];
        foreach (string path in paths)
        {
            byte[] bytes = find(path)
                ?? throw new DemoFailedException($"The recorded boot asks for {path}, which the demo's repository lacks: rebuild.");
            BootRequest request = new(mount.Count + files.Count, path, bytes);
            (request.BelongsToMount ? mount : files).Add(request);
        }

        return new BootPlan(mount, files);
    }
}
