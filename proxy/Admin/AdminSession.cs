namespace Breakwater.Proxy.Admin;

/// <summary>Somebody who has signed in on the page. Immutable.</summary>
/// <param name="Key">Digest of the secret in its cookie; the secret itself is not kept.</param>
/// <param name="Csrf">What every change that it asks for has to carry in <c>X-CSRF-Token</c>: another site cannot know it.</param>
/// <param name="EndsAt">Timestamp at which it ends.</param>
internal sealed record AdminSession(string Key, string Csrf, long EndsAt);
