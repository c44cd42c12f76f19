namespace Breakwater.Proxy.Settings;

/// <summary>
/// What the operator decides for a kind of URL (<c>Http:Rules</c>), squid's <c>refresh_pattern</c>; what is left out is as without the
/// rule.
/// </summary>
internal sealed class HttpRuleOptions
{
    /// <summary>A regular expression, looked for in the URL; case counts: <c>\.rpm$</c>.</summary>
    public string? Match { get; set; }

    /// <summary>How long an answer without a stated lifetime is fresh at least. Default none.</summary>
    public TimeSpan? MinFresh { get; set; }

    /// <summary>
    /// Share of the time since its last change for which an answer without a stated lifetime is fresh. Default 0.1 (RFC 9111, 4.2.2).
    /// </summary>
    public double? HeuristicShare { get; set; }

    /// <summary>The most that the heuristic gives. Default 1 day.</summary>
    public TimeSpan? MaxFresh { get; set; }

    /// <summary>The longest that an answer with a status from 400 on is kept. Default 1 min, which is the most.</summary>
    public TimeSpan? Negative { get; set; }

    /// <summary>False: passed through, never stored. Default true.</summary>
    public bool? Store { get; set; }

    /// <summary>False: requests do not wait for one that is under way. Default true.</summary>
    public bool? Join { get; set; }

    /// <summary>Longest body that is stored. Default: as long as a file may be.</summary>
    public long? MaxObjectBytes { get; set; }
}
