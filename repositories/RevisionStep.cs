namespace Breakwater.Repositories;

/// <summary>How an offered revision stands to the highest one verified so far.</summary>
public enum RevisionStep
{
    /// <summary>The first one, or a newer one: take it.</summary>
    Advance,

    /// <summary>The one that we have.</summary>
    Same,

    /// <summary>Older, and nobody allowed it: a Stratum 1 lags, or replays. Keep what we have.</summary>
    Back,

    /// <summary>Older, and an operator allowed it.</summary>
    AllowedBack,
}
