namespace Breakwater.Repositories;

/// <summary>The judgement on one pair of manifest and whitelist.</summary>
/// <param name="Outcome">What to do.</param>
/// <param name="Reason">Why, as a name.</param>
/// <param name="Explanation">Why, as a sentence for people.</param>
/// <param name="Manifest">The manifest if it could be parsed. Believe it only when it was accepted.</param>
/// <param name="Whitelist">The whitelist if it could be parsed. Believe it only when it was accepted.</param>
public sealed record TrustVerdict(
    TrustOutcome Outcome,
    TrustReason Reason,
    string Explanation,
    Manifest? Manifest = null,
    Whitelist? Whitelist = null)
{
    /// <summary>The keys by which it was judged; null: those that a seed brought. It holds as long as they are in force.</summary>
    public MasterKeys? Keys { get; init; }

    /// <summary>How long before the whitelist's end a warning is due.</summary>
    public static readonly TimeSpan ExpiryWarning = TimeSpan.FromDays(7);

    /// <summary>Is the whitelist so near its end that an operator should know?</summary>
    public bool WhitelistExpiresSoon(DateTimeOffset now) => Whitelist is { } whitelist && whitelist.ExpiresAt - now <= ExpiryWarning;
}
