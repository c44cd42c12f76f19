using System.Reflection;

namespace Breakwater.Proxy.Admin;

/// <summary>The status page: static files inside the assembly, so that it needs no network, no folder and no build.</summary>
internal static class AdminPage
{
    private static readonly Dictionary<string, string> s_types = new(StringComparer.Ordinal)
    {
        [".html"] = "text/html; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".svg"] = "image/svg+xml",
        [".txt"] = "text/plain; charset=utf-8",
    };

    /// <summary>Maps <c>/</c> and the page's files.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        Assembly assembly = typeof(AdminPage).Assembly;
        foreach (string resource in assembly.GetManifestResourceNames().Where(n => n.StartsWith("page/", StringComparison.Ordinal)))
        {
            string path = resource[4..].Replace('\\', '/');
            using Stream stream = assembly.GetManifestResourceStream(resource)!;
            byte[] content = new byte[stream.Length];
            stream.ReadExactly(content);
            string type = s_types.GetValueOrDefault(Path.GetExtension(path), "application/octet-stream");
            routes.MapGet(path == "/index.html" ? "/" : path, () => Results.Bytes(content, type));
        }
    }
}
