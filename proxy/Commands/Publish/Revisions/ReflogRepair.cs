using System.Security.Cryptography;
using Breakwater.Proxy.Commands.Publish.Objects;

namespace Breakwater.Proxy.Commands.Publish.Revisions;

/// <summary>
/// The reflog is written just before the manifest: who is killed between the two leaves one that the manifest does not name.
/// </summary>
internal static class ReflogRepair
{
    /// <summary>Is the reflog there, and the one that the manifest names?</summary>
    public static bool IsHealthy(RepositoryFolder folder, CurrentRepository current) =>
#pragma warning disable CA5350 // The format's hash of the reflog.
        current.ReflogSha1 is { } stated && folder.Read(RepositoryFolder.Reflog) is { } reflog
        && Convert.ToHexStringLower(SHA1.HashData(reflog)) == stated;
#pragma warning restore CA5350
}
