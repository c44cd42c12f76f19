namespace Breakwater.Proxy.Settings;

/// <summary>What holds for all repositories: the plain values of section <c>Repositories</c>, beside the repositories themselves.</summary>
internal sealed class TrustOptions
{
    /// <summary>Where a CernVM-FS client has its configuration.</summary>
    public const string DefaultConfigDirectory = "/etc/cvmfs";

    /// <summary>
    /// Configuration of a CernVM-FS client, from which the Stratum 1s of its domains and repositories are read (<c>CVMFS_SERVER_URL</c> in
    /// <c>domain.d</c> and <c>config.d</c>). Default <c>/etc/cvmfs</c>, which need not exist; empty: none is read.
    /// </summary>
    public string ConfigDirectory { get; set; } = DefaultConfigDirectory;

    /// <summary>
    /// Master public keys in the layout of a CernVM-FS client: <c>&lt;fqrn&gt;.pub</c>, <c>&lt;domain&gt;.pub</c>,
    /// <c>&lt;domain&gt;/*.pub</c>. Default <c>/etc/cvmfs/keys</c>, where the client's own configuration packages put them. A repository
    /// without a key is passed on unverified.
    /// </summary>
    public string KeysDirectory { get; set; } = "/etc/cvmfs/keys";

    /// <summary>
    /// Serve a verified manifest on when no Stratum 1 answers and its whitelist has expired. Default true: each client checks the expiry
    /// itself, and one that has mounted before reads on.
    /// </summary>
    public bool ServeExpired { get; set; } = true;

    /// <summary>Takes over changed settings, for all who have these.</summary>
    public void Take(TrustOptions changed)
    {
        KeysDirectory = changed.KeysDirectory;
        ServeExpired = changed.ServeExpired;
    }
}
