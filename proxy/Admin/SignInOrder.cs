namespace Breakwater.Proxy.Admin;

/// <summary>What the login form sends.</summary>
/// <param name="Token">The admin token, as typed.</param>
/// <param name="IsEncrypted">Does the browser see TLS, which something before this port ends? Its cookie is then for TLS alone.</param>
internal sealed record SignInOrder(string? Token, bool IsEncrypted = false);
