using Breakwater.CacheStore;

namespace Breakwater.Proxy.Settings;

/// <summary>Settings of <c>breakwater publish</c> (section <c>Publish</c>).</summary>
internal sealed class PublishOptions
{
    /// <summary>
    /// Folder into which repositories are published: <c>cvmfs/&lt;fqrn&gt;</c> in it is served, <c>state/</c> is the publisher's own.
    /// Default
    /// <c>/var/lib/breakwater-publish</c>.
    /// </summary>
    public string Path { get; set; } = "/var/lib/breakwater-publish";

    /// <summary>
    /// Folder of the repositories' keys. Default <c>/etc/breakwater/publish-keys</c>, of root alone: the user who serves reads no secret
    /// key.
    /// </summary>
    public string KeysDirectory { get; set; } = "/etc/breakwater/publish-keys";

    /// <summary>
    /// How long a newly signed whitelist is valid. Default 180 days: a lab that is switched off all summer boots in autumn. Shorter limits
    /// what a
    /// stolen signing key can do.
    /// </summary>
    [Between("1.00:00:00", "3650.00:00:00")]
    public TimeSpan WhitelistValidity { get; set; } = TimeSpan.FromDays(180);
}
