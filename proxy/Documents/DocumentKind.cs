namespace Breakwater.Proxy.Documents;

/// <summary>What kind of document, and so how long it is fresh and what happens without a Stratum 1.</summary>
internal enum DocumentKind : byte
{
    /// <summary>A <c>.cvmfs…</c> file of a repository, or <c>info/v1/….json</c>: checked every 61 s, stale on error.</summary>
    File,

    /// <summary>An order of Stratum 1s: fresh as long as it says; made here when no Stratum 1 is up.</summary>
    Geo,
}
