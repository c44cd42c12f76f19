using System.Text.RegularExpressions;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Requests;

namespace Breakwater.Proxy.Settings;

/// <summary>The rules of <c>Http:Rules</c>, ready to be asked. Immutable.</summary>
internal sealed class HttpRules
{
    private readonly (Regex Match, CachingRule Rule)[] _rules;
    private readonly CachingRule _default;

    public HttpRules(HttpOptions options)
    {
        _default = CachingRule.Default with { StaleIfError = options.StaleIfError };
        _rules = [.. options.Rules.Select(rule => (HttpSections.ToRegex(rule.Match!), ToRule(rule)))];
    }

    /// <summary>The rule for a URL: the first that matches, else the default one.</summary>
    /// <param name="uri">Of the answer, as <see cref="CacheUri"/> writes it.</param>
    public CachingRule Find(string uri)
    {
        ReadOnlySpan<char> url = CacheUri.Url(uri);
        foreach ((Regex match, CachingRule rule) in _rules)
        {
            if (match.IsMatch(url))
            {
                return rule;
            }
        }

        return _default;
    }

    private CachingRule ToRule(HttpRuleOptions rule) => _default with
    {
        MinFresh = rule.MinFresh,
        HeuristicShare = rule.HeuristicShare ?? _default.HeuristicShare,
        MaxFresh = rule.MaxFresh ?? _default.MaxFresh,
        Negative = rule.Negative ?? _default.Negative,
        Store = rule.Store ?? true,
        Join = rule.Join ?? true,
        MaxObjectBytes = rule.MaxObjectBytes,
    };
}
