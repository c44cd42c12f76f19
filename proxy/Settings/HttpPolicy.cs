namespace Breakwater.Proxy.Settings;

/// <summary>What of the section <c>Http</c> is reloaded while it runs. Thread-safe; read it once a request.</summary>
internal sealed class HttpPolicy(HttpOptions options)
{
    private volatile Snapshot _current = new(options);

    /// <summary>What is in force now.</summary>
    public Snapshot Current => _current;

    /// <summary>New settings are in force.</summary>
    public void Replace(HttpOptions options) => _current = new Snapshot(options);

    /// <summary>What is in force at one moment. Immutable.</summary>
    internal sealed class Snapshot
    {
        private readonly HashSet<string> _methods;
        private readonly Dictionary<string, HttpSite> _sites;

        public Snapshot(HttpOptions options)
        {
            _methods = [.. options.EffectiveMethods];
            _sites = options.Sites.ToDictionary(site => site.Key, site => new HttpSite(site.Value), StringComparer.OrdinalIgnoreCase);
            Allow = string.Join(", ", options.EffectiveMethods);
            Rules = new HttpRules(options);
        }

        /// <summary>The rules.</summary>
        public HttpRules Rules { get; }

        /// <summary>The methods that pass, as the field <c>Allow</c> has them.</summary>
        public string Allow { get; }

        /// <summary>Are there any sites?</summary>
        public bool HasSites => _sites.Count > 0;

        /// <summary>Does this method pass? Case counts (RFC 9110, 9.1).</summary>
        public bool Allows(string method) => _methods.Contains(method);

        /// <summary>The site of this name; null: there is none.</summary>
        public HttpSite? Site(string host) => _sites.GetValueOrDefault(host);

        /// <summary>
        /// The site that answers for a host which clients name in origin form: the one of its name, else that of <c>*</c>.
        /// </summary>
        public HttpSite? SiteOrAny(string host) => Site(host) ?? Site("*");
    }
}
