using Breakwater.CacheStore;

namespace Breakwater.Proxy.Settings;

/// <summary>
/// Section <c>Http</c>: ordinary HTTP beside CernVM-FS, for <c>Access:Destinations</c> and <c>Http:Sites</c>. Reloaded while it runs, but
/// for
/// <see cref="QuotaShare"/> and <see cref="MaxConcurrentFetches"/>.
/// </summary>
internal sealed class HttpOptions
{
    /// <summary>GET and HEAD: this is a cache, and what writes to other hosts is the operator's decision.</summary>
    public static readonly string[] DefaultMethods = ["GET", "HEAD"];

    /// <summary>Methods that pass to destinations and sites. Empty: <see cref="DefaultMethods"/>.</summary>
    public string[] Methods { get; set; } = [];

    /// <summary>
    /// Share of <c>Store:QuotaBytes</c> that what is not CernVM-FS may take. Default 0.3: it never pushes out an object of CernVM-FS
    /// beyond it, and it leaves a mirror's working set room.
    /// </summary>
    [Reloaded(false)]
    [Between(0.01, 0.9)]
    public double QuotaShare { get; set; } = 0.3;

    /// <summary>
    /// Fetches for destinations and sites at a time, apart from <c>Proxy:MaxConcurrentFetches</c>; more wait in line. Default 256: origins
    /// are many, and slower than a Stratum 1.
    /// </summary>
    [Reloaded(false)]
    [Between(1, 4096)]
    public int MaxConcurrentFetches { get; set; } = 256;

    /// <summary>
    /// How long past its freshness a stored answer may be used while its origin fails, unless the answer itself says so
    /// (<c>stale-if-error</c>) or forbids it. Default 1 day; 0: never.
    /// </summary>
    [Between("00:00:00", "365.00:00:00")]
    public TimeSpan StaleIfError { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// PEM file with the authorities that vouch for origins of sites with https, in place of the system's. Read again when it changes.
    /// Default none: the system's.
    /// </summary>
    public string? CaFile { get; set; }

    /// <summary>
    /// PEM file with the certificate that such an origin gets when it asks for one. Read again when it changes. Default none.
    /// </summary>
    public string? ClientCertificate { get; set; }

    /// <summary>PEM file with its private key, without a password. Default: it stands in the certificate's file.</summary>
    public string? ClientKey { get; set; }

    /// <summary>Hosts that are served in origin form, by name; <c>*</c>: every other.</summary>
    public IReadOnlyDictionary<string, SiteOptions> Sites { get; internal set; } = new Dictionary<string, SiteOptions>();

    /// <summary>In order; the first that matches counts.</summary>
    public IReadOnlyList<HttpRuleOptions> Rules { get; internal set; } = [];

    /// <summary>The methods in force.</summary>
    public string[] EffectiveMethods => Methods.Length == 0 ? DefaultMethods : Methods;
}
