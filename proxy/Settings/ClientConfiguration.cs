namespace Breakwater.Proxy.Settings;

/// <summary>
/// What the site's own configuration of CernVM-FS clients says of repositories and Stratum 1s: the files below <c>/etc/cvmfs</c> that
/// <c>cvmfs-config-*</c> packages and administrators put there. A client's domains are served without a list of ours.
/// </summary>
internal static class ClientConfiguration
{
    private const string AnyRepository = "@fqrn@";
    private const string Root = "/cvmfs/";

    /// <summary>Files that are read, whether they are there or not: for who watches them.</summary>
    public static IEnumerable<string> Files(string directory) =>
        Defaults(directory).Concat(Scripts(directory, "domain.d")).Concat(Scripts(directory, "config.d"));

    /// <summary>The domains and repositories with their Stratum 1s, domains first.</summary>
    /// <param name="directory">The client's directory, usually <c>/etc/cvmfs</c>; one that is not there has none.</param>
    public static IReadOnlyList<ClientDomain> Read(string directory)
    {
        var defaults = new Dictionary<string, string>(StringComparer.Ordinal);
        Run(defaults, Defaults(directory));
        List<ClientDomain> all = [];
        foreach (string domain in Names(directory, "domain.d"))
        {
            Add(all, "*." + domain, Apply(defaults, directory, "domain.d", domain), FileOf(directory, "domain.d", domain));
        }

        foreach (string fqrn in Names(directory, "config.d").Concat(Repositories(defaults)).Distinct(StringComparer.Ordinal))
        {
            string domain = fqrn[(fqrn.IndexOf('.', StringComparison.Ordinal) + 1)..];
            Dictionary<string, string> own = Apply(Apply(defaults, directory, "domain.d", domain), directory, "config.d", fqrn);
            string[] servers = Stratum1s(own, fqrn);
            if (!all.Any(one => one.Pattern == "*." + domain && one.Stratum1s.SequenceEqual(servers)))
            {
                Add(all, fqrn, own, FileOf(directory, "config.d", fqrn));
            }
        }

        return all;
    }

    private static void Add(List<ClientDomain> all, string pattern, Dictionary<string, string> variables, string file)
    {
        string[] servers = Stratum1s(variables, pattern);
        if (servers.Length > 0)
        {
            all.Add(new ClientDomain(pattern, servers, file));
        }
    }

    /// <summary>
    /// The roots of <c>CVMFS_SERVER_URL</c>, in its order; a mirror at another path than <c>/cvmfs/NAME</c> cannot be a Stratum 1 of ours
    /// and is left out.
    /// </summary>
    private static string[] Stratum1s(Dictionary<string, string> variables, string pattern) =>
        [.. (variables.GetValueOrDefault("CVMFS_SERVER_URL") ?? "").Split([';', ',', '|'],
        StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(url => RootOf(url, pattern)).OfType<string>().Distinct(StringComparer.OrdinalIgnoreCase)];

    private static string? RootOf(string url, string pattern)
    {
        string template = url.TrimEnd('/');
        foreach (string end in (string[])[Root + AnyRepository, Root + pattern])
        {
            if (template.EndsWith(end, StringComparison.Ordinal)
                && Uri.TryCreate(template[..^end.Length] + "/", UriKind.Absolute, out Uri? root)
                && root.Scheme is "http" or "https" && root.UserInfo.Length == 0)
            {
                return template[..^end.Length] + "/";
            }
        }

        return null;
    }

    private static Dictionary<string, string> Apply(Dictionary<string, string> before, string directory, string folder, string name)
    {
        var variables = new Dictionary<string, string>(before, StringComparer.Ordinal);
        Run(variables, [FileOf(directory, folder, name), FileOf(directory, folder, name, "local")]);
        return variables;
    }

    private static void Run(Dictionary<string, string> variables, IEnumerable<string> files)
    {
        var script = new ClientScript(variables);
        foreach (string file in files)
        {
            script.Run(file);
        }
    }

    /// <summary>Names of <c>CVMFS_REPOSITORIES</c>, for whose Stratum 1s a site may have set one list for all.</summary>
    private static IEnumerable<string> Repositories(Dictionary<string, string> defaults)
    {
        string domain = defaults.GetValueOrDefault("CVMFS_DEFAULT_DOMAIN") is { Length: > 0 } given ? given : "cern.ch";
        return (defaults.GetValueOrDefault("CVMFS_REPOSITORIES") ?? "").Split([',', ' '],
            StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(name => name.Contains('.', StringComparison.Ordinal) ? name : $"{name}.{domain}").Where(IsName);
    }

    private static IEnumerable<string> Defaults(string directory) =>
        [Path.Combine(directory, "default.conf"), .. Scripts(directory, "default.d"), Path.Combine(directory, "default.local")];

    private static IEnumerable<string> Names(string directory, string folder) =>
        Scripts(directory, folder).Select(Path.GetFileNameWithoutExtension).OfType<string>().Where(IsName).Distinct(StringComparer.Ordinal);

    private static bool IsName(string name) =>
        name.Length <= 255 && name.Contains('.', StringComparison.Ordinal)
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_')
        && name.Split('.').All(label => label.Length > 0);

    private static string[] Scripts(string directory, string folder)
    {
        string path = Path.Combine(directory, folder);
        try
        {
            return Directory.Exists(path)
                ? Directory.GetFiles(path).Where(file => Path.GetExtension(file) is ".conf" or ".local").Order(StringComparer.Ordinal)
                .ToArray()
                : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string FileOf(string directory, string folder, string name, string kind = "conf") =>
        Path.Combine(directory, folder, $"{name}.{kind}");
}
