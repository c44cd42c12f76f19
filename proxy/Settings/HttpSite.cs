namespace Breakwater.Proxy.Settings;

/// <summary>A site of <c>Http:Sites</c>, ready to be asked. Immutable.</summary>
internal sealed class HttpSite(SiteOptions site)
{
    private static readonly UriCreationOptions s_asWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private readonly string[] _roots = [.. site.Mirrors.Prepend(site.Origin!).Select(static url => RootOf(new Uri(url)))];

    /// <summary>Is one of them a folder of its server? What is beside that is not the site's.</summary>
    public bool HasFolder { get; } = site.Mirrors.Prepend(site.Origin!).Any(static url => new Uri(url).AbsolutePath.Trim('/').Length > 0);

    /// <summary>
    /// The URLs of a path at the origin and its mirrors, in the order in which they are asked; the path as the client wrote it.
    /// </summary>
    /// <param name="pathAndQuery">From the slash on.</param>
    public IReadOnlyList<Uri> Upstreams(string pathAndQuery) => [.. _roots.Select(root => new Uri(root + pathAndQuery, s_asWritten))];

    private static string RootOf(Uri url) => url.GetLeftPart(UriPartial.Path).TrimEnd('/');
}
