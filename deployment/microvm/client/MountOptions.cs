using System.Globalization;

namespace Breakwater.Mount;

/// <summary>The command line.</summary>
internal sealed record MountOptions
{
    public const string Usage = """
        breakwater-mount FQRN MOUNTPOINT --server S1[;S2] [--proxy "http://p1:3128;DIRECT"] [--pac URL[;URL]]
            --keys DIRECTORY | --insecure   the repository's public keys, or none
            [--tag NAME | --root-hash HEX]  what to show; without either the newest revision
            [--cache DIRECTORY]             default /var/cache/breakwater-mount; a tmpfs makes it a cache in memory
            [--quota-mb N]                  of the cache; default 1000
            [--patience SECONDS]            how long all ways are tried when none answers; default 30
        """;

    public string Fqrn { get; private set; } = "";

    public string MountPoint { get; private set; } = "";

    public string Server { get; private set; } = "";

    public string Proxy { get; private set; } = "DIRECT";

    public string Pac { get; private set; } = "";

    public string Keys { get; private set; } = "";

    public string Tag { get; private set; } = "";

    public string RootHash { get; private set; } = "";

    public string Cache { get; private set; } = "/var/cache/breakwater-mount";

    public long QuotaBytes { get; private set; } = 1000L << 20;

    public TimeSpan Patience { get; private set; } = TimeSpan.FromSeconds(30);

    public bool IsInsecure { get; private set; }

    /// <summary>Reads the arguments. Problem: a sentence about what is wrong.</summary>
    public static (MountOptions Options, string? Problem) Parse(IReadOnlyList<string> arguments)
    {
        var options = new MountOptions();
        List<string> places = [];
        for (int i = 0; i < arguments.Count; i++)
        {
            string argument = arguments[i];
            if (argument == "--insecure")
            {
                options.IsInsecure = true;
            }
            else if (!argument.StartsWith("--", StringComparison.Ordinal))
            {
                places.Add(argument);
            }
            else if (++i == arguments.Count || !options.Set(argument, arguments[i]))
            {
                return (options, $"{argument}: unknown, or its value is missing or no such value.");
            }
        }

        if (places is not [string fqrn, string mountPoint])
        {
            return (options, "A repository and a mount point are needed.");
        }

        options.Fqrn = fqrn;
        options.MountPoint = mountPoint;
        string? problem = !Repositories.Fqrn.TryParse(fqrn, out _) ? $"'{fqrn}' is not the name of a repository."
            : options.Server.Length == 0 ? "--server is needed."
            : options.Tag.Length > 0 && options.RootHash.Length > 0 ? "--tag and --root-hash exclude each other."
            : options.RootHash.Length == 0 && options.Keys.Length == 0 && !options.IsInsecure
                ? "--keys is needed; --insecure mounts without verifying who signed."
            : null;
        return (options, problem);
    }

    private bool Set(string name, string value)
    {
        switch (name)
        {
            case "--server":
                Server = value;
                return true;
            case "--proxy":
                Proxy = value;
                return true;
            case "--pac":
                Pac = value;
                return true;
            case "--keys":
                Keys = value;
                return true;
            case "--tag":
                Tag = value;
                return true;
            case "--root-hash":
                RootHash = value;
                return true;
            case "--cache":
                Cache = value;
                return true;
            case "--quota-mb":
                bool isQuota = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int quota) && quota > 0;
                QuotaBytes = (long)quota << 20;
                return isQuota;
            case "--patience":
                bool isPatience = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds);
                Patience = TimeSpan.FromSeconds(seconds);
                return isPatience;
            default:
                return false;
        }
    }
}
