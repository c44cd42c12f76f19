using Breakwater.CacheStore.Quotas;
using Breakwater.Proxy.Requests;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Settings;

/// <summary>
/// How the state is read and checked that the settings declare: <c>Pins</c>, <c>Seeds:Files</c> and
/// <c>Repositories:&lt;name&gt;:AllowRevision</c> and <c>QuotaBytes</c>.
/// </summary>
internal static class DeclaredSections
{
    private const string Pins = nameof(BreakwaterSettings.Pins);

    /// <summary>With a repository's name of the usual length the store's limit of 200 characters holds.</summary>
    private const int MaxPinName = 64;

    /// <summary>The store's own limit for what it makes of repository and name.</summary>
    private const int MaxRepositoryName = 120;

    private const long LeastQuotaBytes = 1 << 20;
    private const long MostQuotaBytes = 1L << 50;

    /// <summary>Reads <c>Pins</c>: a section a pin. One that is set to null is taken out.</summary>
    public static IReadOnlyDictionary<string, PinOptions> BindPins(IConfiguration configuration, List<string> errors)
    {
        IConfigurationSection[] given = [.. configuration.GetSection(Pins).GetChildren()];
        errors.AddRange(given.Where(pin => !string.IsNullOrEmpty(pin.Value)).Select(pin =>
            $"{pin.Path}: '{pin.Value}' is one value; {{ \"Repository\": \"NAME\", \"Paths\": [ \"/bin/**\" ] }} belongs here, or "
            + "null to take it out."));
        return given.Where(pin => pin.GetChildren().Any()).ToDictionary(
            pin => pin.Key, pin => SettingsBinder.Bind<PinOptions>(pin.Path, pin.GetChildren(), errors), StringComparer.Ordinal);
    }

    /// <summary>What is named for its <c>AllowRevision</c> or <c>QuotaBytes</c> alone has the cluster of its domain.</summary>
    public static void InheritClusters(IReadOnlyDictionary<string, RepositoryOptions> repositories)
    {
        foreach ((string name, RepositoryOptions repository) in repositories)
        {
            if (repository is { Cluster: null, Published: false } and ({ AllowRevision: not null } or { QuotaBytes: not null }))
            {
                repository.Cluster = repositories.Where(one => Holds(one.Key, name)).OrderByDescending(one => one.Key.Length)
                    .Select(one => one.Value.Cluster).FirstOrDefault();
            }
        }
    }

    /// <summary>Adds a line to <paramref name="errors"/> for each mistake.</summary>
    public static void Check(BreakwaterSettings settings, List<string> errors)
    {
        foreach ((string name, PinOptions pin) in settings.Pins)
        {
            CheckPin(settings, $"{Pins}:{name}", name, pin, errors);
        }

        errors.AddRange(settings.Seeds.Files.Where(file => !IsPlainPath(file))
            .Select(file => $"Seeds:Files: '{file}' is not a file's full path, such as /srv/seeds/site.seed."));
        errors.AddRange(settings.Seeds.Files.GroupBy(file => file, StringComparer.Ordinal).Where(same => same.Count() > 1)
            .Select(same => $"Seeds:Files: '{same.Key}' is there {same.Count()} times."));
        foreach ((string pattern, RepositoryOptions repository) in settings.Repositories.Where(one => one.Value.AllowRevision is not null))
        {
            CheckRevision($"Repositories:{pattern}:AllowRevision", pattern, repository, errors);
        }

        CheckQuotas(settings.Repositories, errors);
    }

    private static void CheckPin(BreakwaterSettings settings, string path, string name, PinOptions pin, List<string> errors)
    {
        if (name.Length > MaxPinName || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        {
            errors.Add($"{path}: a pin's name has 1 to {MaxPinName} letters, digits, '-', '_' or '.'.");
        }

        if (pin.Repository is null)
        {
            errors.Add($"{path}:Repository: the repository's full name is missing, such as atlas.cern.ch.");
        }
        else if (pin.Repository.Length > MaxRepositoryName || !IsServed(settings, pin.Repository))
        {
            errors.Add($"{path}:Repository: '{pin.Repository}' is not in Repositories, so nothing of it is served here.");
        }

        if (pin.All == pin.Paths.Length > 0)
        {
            errors.Add(pin.All
                ? $"{path}: All is everything: leave out Paths, or All."
                : $"{path}:Paths: no path is named, such as /bin/**; All is everything in the snapshot.");
        }

        errors.AddRange(pin.Paths.Where(one => !IsPattern(one))
            .Select(one => $"{path}:Paths: '{one}' is not a path in the repository, such as /bin/sh, /lib/** or /etc/*.conf."));
        if (pin.Tag is { } tag && (tag.Trim() != tag || tag.Length is 0 or > 255 || tag.Any(char.IsControl)))
        {
            errors.Add($"{path}:Tag: '{tag}' is not a tag of 1 to 255 characters; leave it out for the newest revision.");
        }
    }

    /// <summary>Without a network, or with Seeds:Serve, seeds bring repositories that no settings name.</summary>
    private static bool IsServed(BreakwaterSettings settings, string fqrn) =>
        Fqrn.TryParse(fqrn, out _) && fqrn.Contains('.', StringComparison.Ordinal)
        && (settings.Proxy.Offline || settings.Seeds.Serve
        || settings.Repositories.Keys.Any(pattern => pattern == fqrn || Holds(pattern, fqrn)));

    private static bool Holds(string pattern, string fqrn) => pattern.StartsWith("*.", StringComparison.Ordinal)
        && fqrn.Length >= pattern.Length && fqrn.EndsWith(pattern[1..], StringComparison.Ordinal);

    /// <summary>One line of a list of paths, as <c>warm --paths</c> takes it; what begins with # or ! means something else there.</summary>
    private static bool IsPattern(string path) =>
        path.Length is > 0 and <= 4096 && path.Trim() == path && path[0] is not ('#' or '!' or '^') && !path.Any(char.IsControl)
        && !path.Split('/').Any(name => name is "." or "..");

    private static bool IsPlainPath(string file) =>
        Path.IsPathFullyQualified(file) && !file.Any(char.IsControl) && !file.EndsWith('/')
        && !file.Split('/').Any(name => name is "." or "..");

    private static void CheckQuotas(IReadOnlyDictionary<string, RepositoryOptions> repositories, List<string> errors)
    {
        Dictionary<ushort, string> marks = [];
        foreach ((string pattern, RepositoryOptions repository) in repositories.Where(one => one.Value.QuotaBytes is not null))
        {
            string path = $"Repositories:{pattern}:QuotaBytes";
            if (repository.QuotaBytes is < LeastQuotaBytes or > MostQuotaBytes)
            {
                errors.Add($"{path}: {repository.QuotaBytes} is outside {LeastQuotaBytes} to {MostQuotaBytes} bytes.");
            }

            if (repository.Published)
            {
                errors.Add($"{path}: what is published here is kept whole; leave out QuotaBytes or Published.");
            }

            ushort mark = new StoreShare(pattern, null).Mark;
            if (!marks.TryAdd(mark, pattern))
            {
                errors.Add($"{path}: by chance the store would take its objects for those of Repositories:{marks[mark]}; leave out one "
                    + "QuotaBytes of the two, or name the repositories otherwise.");
            }
        }

        if (marks.Count > StoreShares.Most)
        {
            errors.Add($"Repositories: {marks.Count} have QuotaBytes; the store counts {StoreShares.Most} of them. Give it to domains.");
        }
    }

    private static void CheckRevision(string path, string pattern, RepositoryOptions repository, List<string> errors)
    {
        if (pattern.StartsWith("*.", StringComparison.Ordinal))
        {
            errors.Add($"{path}: a domain has no revision, its repositories have: name each by its full name.");
        }

        if (repository.Published)
        {
            errors.Add($"{path}: what is published here goes back with 'breakwater publish rollback'.");
        }

        if (repository.AllowRevision < 1)
        {
            errors.Add($"{path}: {repository.AllowRevision} is no revision: 1 or more.");
        }
    }
}
