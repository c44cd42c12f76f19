namespace Breakwater.Proxy.Settings;

/// <summary>
/// A host that this proxy answers for, as its origin's front (<c>Http:Sites:&lt;host&gt;</c>): squid's <c>http_port … accel</c>.
/// </summary>
internal sealed class SiteOptions
{
    /// <summary>
    /// The URL that is asked, http or https, with a path before the client's if it has one: <c>http://repo.example.org:8080/</c>.
    /// </summary>
    public string? Origin { get; set; }

    /// <summary>
    /// URLs of servers with the same content, asked in order where the origin fails or lies about what names its own hash. Default none.
    /// </summary>
    public string[] Mirrors { get; set; } = [];
}
