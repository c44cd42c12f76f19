namespace Breakwater.Proxy.Admin;

/// <summary>Is the page signed in?</summary>
/// <param name="IsSignedIn">Has this browser a session?</param>
/// <param name="Csrf">What every change has to carry in <c>X-CSRF-Token</c>; null without a session.</param>
internal sealed record SessionView(bool IsSignedIn, string? Csrf);
