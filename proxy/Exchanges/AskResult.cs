using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Exchanges;

/// <summary>What an origin said, or why it said nothing: one of the two.</summary>
/// <param name="Answer">The answer; the caller disposes it.</param>
/// <param name="Failure">Why there is none.</param>
internal readonly record struct AskResult(FetchedAnswer? Answer, UpstreamFailure? Failure);
