using System.Runtime.InteropServices;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Mount;

/// <summary>Mounts one verified snapshot of a repository read-only, and serves it until it is unmounted.</summary>
internal static class Program
{
    private const int Threads = 8;
    private const int MaxOpenCatalogs = 24;
    private const int MaxOpenFiles = 4096;

    private static int Main(string[] arguments)
    {
        (MountOptions options, string? problem) = MountOptions.Parse(arguments);
        if (problem is not null)
        {
            Say($"{problem}\n{MountOptions.Usage}");
            return 64;
        }

        // At shutdown everything gets SIGTERM while the root is still in use: only an unmount ends this process.
        List<PosixSignalRegistration> deaf = [.. new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGHUP }
            .Select(signal => PosixSignalRegistration.Create(signal, context => context.Cancel = true))];
        int code = Mount(options);
        deaf.ForEach(registration => registration.Dispose());
        return code;
    }

    private static int Mount(MountOptions options)
    {
        Directory.CreateDirectory(options.Cache);
        string proxy = options.Pac.Length == 0 ? options.Proxy : ProxyOfPac(options);
        var routes = new Routes(Routes.Parse(options.Fqrn, options.Server, proxy), TimeProvider.System);
        using var downloads = new Downloads(routes, TimeProvider.System);
        var source = new ObjectSource(downloads, options.Cache, options.Patience, TimeProvider.System, Say);
        var limits = new CatalogLimits { TemporaryDirectory = options.Cache };
        (ObjectKey root, ulong revision, string? problem) = Resolve(options, downloads, source, limits);
        if (problem is not null)
        {
            Say($"{options.Fqrn}: {problem}");
            return 1;
        }

        using var catalogs = new CatalogPool(source, limits, MaxOpenCatalogs, Say);
        var tree = new Tree(catalogs, new ContentCache(source, options.QuotaBytes, MaxOpenFiles, Say));
        if (!tree.Begin(root))
        {
            Say($"{options.Fqrn}: its root catalog {root} cannot be had.");
            return 1;
        }

        int descriptor = Native.Open("/dev/fuse", Native.ReadWriteCloseOnExec);
        string data = $"fd={descriptor},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions";
        if (descriptor < 0
            || Native.Mount("breakwater", options.MountPoint, "fuse.breakwater", Native.ReadOnlyMount | Native.NoDevices, data) != 0)
        {
            Say($"{(descriptor < 0 ? "/dev/fuse" : options.MountPoint)}: error {Marshal.GetLastPInvokeError()}; root and fuse are needed.");
            return 1;
        }

        Say($"mounted {options.Fqrn} revision {revision} {root} on {options.MountPoint}");
        Dictionary<string, string> names = new()
        {
            ["user.fqrn"] = options.Fqrn,
            ["user.revision"] = revision.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["user.root_hash"] = root.ToString()[..40],
        };
        new FuseSession(descriptor, new FileSystem(tree, names), Say).Run(Threads);
        return 0;
    }

    private static (ObjectKey Root, ulong Revision, string? Problem) Resolve(
        MountOptions options, Downloads downloads, ObjectSource source, CatalogLimits limits)
    {
        if (options.RootHash.Length > 0)
        {
            return Manifest.TryKey(options.RootHash, 'C', out ObjectKey root)
                ? (root, 0, null)
                : (default, 0, $"'{options.RootHash}' is no hash of a catalog");
        }

        MasterKeys keys = MasterKeys.Load(options.Keys); // without a directory there are none
        if (options.IsInsecure)
        {
            Say("--insecure: nothing tells who published this system.");
        }

        return new Snapshot(options.Fqrn, keys, downloads, source, limits, TimeProvider.System)
            .ResolveAsync(options.Tag, options.IsInsecure).GetAwaiter().GetResult();
    }

    private static string ProxyOfPac(MountOptions options)
    {
        foreach (string url in options.Pac.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            int slash = url.LastIndexOf('/');
            using var downloads = new Downloads(new Routes([], TimeProvider.System), TimeProvider.System);
            using var all = new MemoryStream();
            string? problem = downloads.TryAsync(
                new Route(url[..slash], null), url[(slash + 1)..], 1 << 20, false, bytes => all.Write(bytes.Span)).GetAwaiter().GetResult();
            if (problem is null && PacFile.TryConstant(Encoding.UTF8.GetString(all.ToArray())) is { } proxies)
            {
                return proxies;
            }

            Say($"{url}: {problem ?? "its answer is not always the same"}.");
        }

        Say($"no file of --pac tells a proxy; using '{options.Proxy}'.");
        return options.Proxy;
    }

    private static void Say(string sentence) => Console.Error.WriteLine("breakwater-mount: " + sentence);
}
