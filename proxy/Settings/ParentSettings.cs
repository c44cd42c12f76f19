using System.Net;

namespace Breakwater.Proxy.Settings;

/// <summary>The parent proxies of one cluster: <c>ReverseProxy:Clusters:&lt;name&gt;:HttpClient:WebProxy</c>.</summary>
/// <param name="Proxies">In the order in which they are asked; empty: Stratum 1s are asked directly.</param>
/// <param name="Bypass">Stratum 1s that are asked directly all the same.</param>
internal sealed record ParentSettings(IReadOnlyList<ParentProxy> Proxies, ParentBypass Bypass)
{
    /// <summary>A file with one user and one password is not longer.</summary>
    private const int MaxFileBytes = 4096;

    /// <summary>Reads them, and the file with their password.</summary>
    /// <param name="cluster">Section of the cluster.</param>
    /// <param name="errors">Gets a line for each mistake; no line tells a password.</param>
    public static ParentSettings Read(IConfigurationSection cluster, List<string> errors)
    {
        IConfigurationSection section = cluster.GetSection("HttpClient:WebProxy");
        string[] others = List(section.GetSection("Others"), errors);
        string[] direct = List(section.GetSection("NoProxy"), errors);
        errors.AddRange(direct.Where(host => !ParentBypass.IsPattern(host)).Select(host =>
            $"{section.Path}:NoProxy: '{host}' is not a host or domain with an optional port, such as s1.example.org or *.example.org."));
        NetworkCredential? shared = section["CredentialsFile"] is { Length: > 0 } file
            ? FromFile(file, $"{section.Path}:CredentialsFile", errors)
            : null;
        List<ParentProxy> proxies = [];
        Add(ClusterSections.Parent(cluster), "Address");
        foreach (string other in others)
        {
            Add(other, "Others");
        }

        if (ClusterSections.Parent(cluster) is null && section.GetChildren().Any(s => s.Key is not ("Address" or "BypassOnLocal")
            && (s.Value is { Length: > 0 } || s.GetChildren().Any())))
        {
            errors.Add($"{section.Path}:Address: the first parent proxy belongs here; Others, CredentialsFile and NoProxy do nothing "
                + "without it.");
        }

        return new ParentSettings(proxies, new ParentBypass(direct.Where(ParentBypass.IsPattern)));

        void Add(string? url, string name)
        {
            if (url is null)
            {
                return;
            }

            if (!ParentProxy.TryParse(url, out ParentProxy? proxy, out string problem))
            {
                errors.Add($"{section.Path}:{name}: {problem}");
            }
            else if (proxies.Any(p => p.Address == proxy.Address))
            {
                errors.Add($"{section.Path}:{name}: {proxy} is there twice.");
            }
            else
            {
                proxies.Add(proxy.Credential is null ? new ParentProxy(proxy.Address, shared) : proxy);
            }
        }
    }

    private static string[] List(IConfigurationSection section, List<string> errors)
    {
        if (!string.IsNullOrEmpty(section.Value))
        {
            errors.Add($"{section.Path}: this is a list: [ \"…\" ].");
        }

        return [.. section.GetChildren().Select(one => one.Value).OfType<string>()];
    }

    /// <summary>One line, <c>user:password</c>, as it is: nothing is escaped there.</summary>
    private static NetworkCredential? FromFile(string path, string name, List<string> errors)
    {
        string line;
        try
        {
            var file = new FileInfo(path);
            if (file.Exists && file.LinkTarget is null && file.Length > MaxFileBytes)
            {
                errors.Add($"{name}: {path} has more than one line user:password.");
                return null;
            }

            line = File.ReadAllText(path).TrimEnd('\r', '\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            errors.Add($"{name}: {path} cannot be read: {e.Message}");
            return null;
        }

        int colon = line.IndexOf(':', StringComparison.Ordinal);
        if (colon < 1 || line.Length > MaxFileBytes || line.Any(char.IsControl))
        {
            errors.Add($"{name}: {path} must have one line, user:password.");
            return null;
        }

        return new NetworkCredential(line[..colon], line[(colon + 1)..]);
    }
}
