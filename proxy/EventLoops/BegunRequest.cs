namespace Breakwater.Proxy.EventLoops;

/// <summary>What the loops know of a request that they hand to Kestrel.</summary>
/// <param name="Work">What was begun for it, for whoever knows its type; null: nothing. Whoever takes it disposes it.</param>
/// <param name="StartedAt"><see cref="TimeProvider.GetTimestamp"/> when the loop had the request's head; 0: it does not know.</param>
internal readonly record struct BegunRequest(IAsyncDisposable? Work, long StartedAt);
