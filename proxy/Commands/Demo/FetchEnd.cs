namespace Breakwater.Proxy.Commands.Demo;

/// <summary>How one request ended, by what the CernVM-FS client does next.</summary>
internal enum FetchEnd
{
    /// <summary>The right bytes.</summary>
    Right,

    /// <summary>A whole answer with wrong bytes.</summary>
    WrongBody,

    /// <summary>5xx, 400, 404, 429: the client asks the next host.</summary>
    HostFailed,

    /// <summary>An answer that is an I/O error for the user at once: not HTTP, a 1xx, a redirect.</summary>
    IoError,

    /// <summary>
    /// The proxy is to blame (refused, reset, cut, too slow, 403, …): with 0 retries the client turns to the next one, DIRECT.
    /// </summary>
    ProxyFailed,
}
