namespace Breakwater.Proxy.Cluster;

/// <summary>One listed node.</summary>
/// <param name="Id">Its id; null: it has not answered yet.</param>
/// <param name="Address">Host and port as listed.</param>
/// <param name="State">How it stands; skipped ones answer probes and fail requests.</param>
/// <param name="IsSelf">Is it the one that tells?</param>
/// <param name="OwnedShare">Its share of all objects; 0: it is not in the ring.</param>
/// <param name="Weight">Its weight; null: it has not answered yet.</param>
/// <param name="AnsweredSecondsAgo">Since its last answer to a probe; null: there was none.</param>
/// <param name="Problem">What is not right with it; null: nothing.</param>
internal sealed record NodeRow(string? Id, string Address, string State, bool IsSelf, double OwnedShare, double? Weight,
    double? AnsweredSecondsAgo, string? Problem);
