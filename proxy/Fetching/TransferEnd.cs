using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Fetching;

/// <summary>How a transfer ended.</summary>
/// <param name="IsWhole">It came to its end.</param>
/// <param name="Blame">What the Stratum 1 did wrong; null: nothing.</param>
/// <param name="What">The same for people.</param>
/// <param name="IsTardy">At its pace those who wait would have heard nothing in time, and another can be asked: whether that is its fault,
/// the other's pace tells.</param>
internal readonly record struct TransferEnd(bool IsWhole, FailureKind? Blame = null, string What = "", bool IsTardy = false);
