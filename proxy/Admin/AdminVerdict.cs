namespace Breakwater.Proxy.Admin;

/// <summary>What stands before every endpoint of the admin port.</summary>
internal enum AdminVerdict : byte
{
    /// <summary>Go on.</summary>
    Allowed,

    /// <summary>The Host names neither this machine nor a name in <c>Admin:Hosts</c>: 421.</summary>
    WrongHost,

    /// <summary>The token is missing or wrong: 401.</summary>
    TokenNeeded,

    /// <summary>A session asks for a change without its CSRF token: 403.</summary>
    CsrfNeeded,
}
