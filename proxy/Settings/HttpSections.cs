using System.Text.RegularExpressions;
using Breakwater.Proxy.Requests;

namespace Breakwater.Proxy.Settings;

/// <summary>How the section <c>Http</c> is read and checked.</summary>
internal static class HttpSections
{
    /// <summary>Longest that an error may be kept, whatever a rule says: errors pass.</summary>
    public static readonly TimeSpan MostNegative = TimeSpan.FromSeconds(60);

    private const string Section = "Http";

    /// <summary>As a rule's expression is compiled; it takes time in proportion to the URL, whatever the expression.</summary>
    private const RegexOptions Expression = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    private static readonly TimeSpan s_longest = TimeSpan.FromDays(365);

    /// <summary>Words of squid's refresh_pattern that make a cache answer wrongly.</summary>
    private static readonly string[] s_refused =
    [
        "OverrideExpire", "OverrideLastmod", "IgnoreNoStore", "IgnorePrivate", "IgnoreNoCache", "IgnoreMustRevalidate", "IgnoreAuth",
        "IgnoreReload", "ReloadIntoIms", "RefreshIms", "StoreStale",
    ];

    /// <summary>Reads the section; a line in <paramref name="errors"/> for each mistake.</summary>
    public static HttpOptions Bind(IConfiguration configuration, List<string> errors)
    {
        IConfigurationSection http = configuration.GetSection(Section);
        IConfigurationSection sites = http.GetSection(nameof(HttpOptions.Sites));
        IConfigurationSection rules = http.GetSection(nameof(HttpOptions.Rules));
        HttpOptions options = SettingsBinder.Bind<HttpOptions>(
            Section, http.GetChildren().Where(child => child.Path != sites.Path && child.Path != rules.Path), errors);
        options.Sites = sites.GetChildren().Where(site => !IsTakenOut(site))
            .ToDictionary(
                site => site.Key,
                site => SettingsBinder.Bind<SiteOptions>(site.Path, site.GetChildren(), errors),
                StringComparer.OrdinalIgnoreCase);
        options.Rules = [.. rules.GetChildren().Where(rule => !IsTakenOut(rule)).Select(rule => BindRule(rule, errors))];
        foreach (IConfigurationSection wrong in (IConfigurationSection[])[sites, rules])
        {
            if (!string.IsNullOrEmpty(wrong.Value))
            {
                string wanted = wrong == sites ? "names of hosts, each with an Origin" : "a list of rules";
                errors.Add($"{wrong.Path}: '{wrong.Value}' is not {wanted}.");
            }
        }

        return options;
    }

    /// <summary>Checks values that were read; a line in <paramref name="errors"/> for each mistake.</summary>
    public static void Check(HttpOptions options, List<string> errors)
    {
        errors.AddRange(options.Methods.Where(method => !IsMethod(method)).Select(method => $"Http:Methods: '{method}' is not a method in "
            + "capitals, such as GET or PUT; CONNECT is Access:Connect's, TRACE shows secrets."));
        foreach ((string host, SiteOptions site) in options.Sites)
        {
            CheckSite($"Http:Sites:{host}", host, site, errors);
        }

        foreach ((int i, HttpRuleOptions rule) in options.Rules.Index())
        {
            CheckRule($"Http:Rules:{i}", rule, errors);
        }
    }

    /// <summary>An expression of a rule.</summary>
    /// <exception cref="ArgumentException">It is none, or needs backtracking.</exception>
    public static Regex ToRegex(string match)
    {
        try
        {
            return new Regex(match, Expression);
        }
        catch (NotSupportedException e)
        {
            throw new ArgumentException(e.Message, e);
        }
    }

    private static HttpRuleOptions BindRule(IConfigurationSection rule, List<string> errors)
    {
        foreach (IConfigurationSection word in rule.GetChildren())
        {
            if (IsRefused(word))
            {
                errors.Add(
                    $"{word.Path}: what an origin forbids is not stored, whoever asks: one client's page would be another's answer. "
                    + "MinFresh helps where an origin says nothing; for the rest the origin has to say it (docs/operate/from-squid.md).");
            }
        }

        return SettingsBinder.Bind<HttpRuleOptions>(rule.Path, rule.GetChildren().Where(word => !IsRefused(word)), errors);
    }

    /// <summary>As squid writes it, or as we would.</summary>
    private static bool IsRefused(IConfigurationSection word) =>
        s_refused.Contains(word.Key.Replace("-", "", StringComparison.Ordinal), StringComparer.OrdinalIgnoreCase);

    private static void CheckSite(string path, string host, SiteOptions site, List<string> errors)
    {
        if (host != "*" && (!Authorities.IsValid(System.Text.Encoding.UTF8.GetBytes(host)) || host.Contains(':', StringComparison.Ordinal)))
        {
            errors.Add($"{path}: '{host}' is not a host name or IPv4 address without port, as clients name it; * for all others.");
        }

        if (site.Origin is null)
        {
            errors.Add($"{path}:Origin: the URL of the origin is missing, such as http://repo.example.org:8080/.");
        }

        IEnumerable<(string, string)> mirrors = site.Mirrors.Select(mirror => ("Mirrors", mirror));
        foreach ((string name, string url) in mirrors.Append(("Origin", site.Origin ?? "http://a/")))
        {
            if (!IsRoot(url))
            {
                string shown = ParentProxy.WithoutPassword(url);
                errors.Add($"{path}:{name}: '{shown}' is not a URL such as http://repo.example.org:8080/ or https://host/path/.");
            }
        }
    }

    private static void CheckRule(string path, HttpRuleOptions rule, List<string> errors)
    {
        if (string.IsNullOrEmpty(rule.Match))
        {
            errors.Add($"{path}:Match: a regular expression is missing, such as \\.rpm$.");
        }
        else
        {
            try
            {
                ToRegex(rule.Match);
            }
            catch (ArgumentException e)
            {
                errors.Add(
                    $"{path}:Match: '{rule.Match}' is not a regular expression without look-around and back-references: {e.Message}");
            }
        }

        Range(errors, $"{path}:MinFresh", rule.MinFresh ?? TimeSpan.Zero, TimeSpan.Zero, s_longest);
        Range(errors, $"{path}:MaxFresh", rule.MaxFresh ?? TimeSpan.Zero, TimeSpan.Zero, s_longest);
        Range(errors, $"{path}:HeuristicShare", rule.HeuristicShare ?? 0, 0, 1);
        Range(errors, $"{path}:Negative", rule.Negative ?? TimeSpan.Zero, TimeSpan.Zero, MostNegative);
        Range(errors, $"{path}:MaxObjectBytes", rule.MaxObjectBytes ?? 1, 0, 1L << 50);
    }

    private static bool IsMethod(string method) =>
        FieldGrammar.IsToken(method) && method is not ("CONNECT" or "TRACE") && !method.Any(char.IsAsciiLetterLower);

    /// <summary>A root may have a path, of plain characters: it stands before each path that is asked for.</summary>
    private static bool IsRoot(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" && uri.UserInfo.Length == 0
        && uri.Query.Length == 0 && uri.Fragment.Length == 0 && uri.Host.Length > 0 && !url.Contains("/../", StringComparison.Ordinal)
        && uri.AbsolutePath.All(c => char.IsAsciiLetterOrDigit(c) || "/-._~".Contains(c, StringComparison.Ordinal));

    private static bool IsTakenOut(IConfigurationSection section) => string.IsNullOrEmpty(section.Value) && !section.GetChildren().Any();

    private static void Range<T>(List<string> errors, string name, T value, T min, T max)
        where T : IComparable<T>
    {
        if (value.CompareTo(min) < 0 || value.CompareTo(max) > 0 || value is double.NaN)
        {
            errors.Add(FormattableString.Invariant($"{name}: {value} is outside {min} to {max}."));
        }
    }
}
