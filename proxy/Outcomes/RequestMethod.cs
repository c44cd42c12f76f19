namespace Breakwater.Proxy.Outcomes;

/// <summary>A request's method, as far as it matters here.</summary>
internal enum RequestMethod : byte
{
    /// <summary>GET.</summary>
    Get,

    /// <summary>HEAD.</summary>
    Head,

    /// <summary>CONNECT.</summary>
    Connect,

    /// <summary>POST.</summary>
    Post,

    /// <summary>PUT.</summary>
    Put,

    /// <summary>DELETE.</summary>
    Delete,

    /// <summary>OPTIONS.</summary>
    Options,

    /// <summary>PATCH.</summary>
    Patch,

    /// <summary>TRACE.</summary>
    Trace,

    /// <summary>Squid's PURGE.</summary>
    Purge,

    /// <summary>Anything else.</summary>
    Other,
}
