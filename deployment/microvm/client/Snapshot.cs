using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Mount;

/// <summary>Finds the root catalog that a mount shows, by the signed documents of the repository.</summary>
internal sealed class Snapshot(
    string fqrn, MasterKeys keys, Downloads downloads, ObjectSource source, CatalogLimits limits, TimeProvider time)
{
    /// <summary>Root catalog and revision of the trunk or of a tag; or a sentence.</summary>
    /// <param name="tag">Empty: the trunk.</param>
    /// <param name="isInsecure">No key: mount what is named, unverified.</param>
    public async Task<(ObjectKey Root, ulong Revision, string? Problem)> ResolveAsync(string tag, bool isInsecure)
    {
        string? problem = "no server is configured";
        foreach (Route route in downloads.Routes.InOrder())
        {
            (Manifest? manifest, problem) = await JudgeAsync(route, isInsecure);
            if (manifest is null)
            {
                problem = $"{route.Server} by {route.Proxy?.ToString() ?? "no proxy"}: {problem}";
                continue;
            }

            return tag.Length == 0 ? (manifest.RootCatalog, manifest.Revision, null) : await FindTagAsync(manifest, tag);
        }

        return (default, 0, problem);
    }

    private async Task<(Manifest? Manifest, string? Problem)> JudgeAsync(Route route, bool isInsecure)
    {
        (byte[]? published, string? problem) = await DocumentAsync(route, ".cvmfspublished");
        if (published is null)
        {
            return (null, problem);
        }

        if (!Manifest.Parse(published).TryGet(out Manifest? manifest, out problem))
        {
            return (null, problem);
        }

        if (isInsecure)
        {
            return string.Equals(manifest.RepositoryName, fqrn, StringComparison.OrdinalIgnoreCase)
                ? (manifest, null)
                : (null, $"the manifest is that of '{manifest.RepositoryName}'");
        }

        (byte[]? whitelist, problem) = await DocumentAsync(route, ".cvmfswhitelist");
        if (whitelist is null)
        {
            return (null, problem);
        }

        byte[]? certificate = manifest.Certificate is { } key ? await ReadAsync(key) : null;
        TrustVerdict verdict = new RepositoryTrust(keys).JudgeManifest(
            Fqrn.Parse(fqrn), published, whitelist, certificate is null ? null : (ReadOnlyMemory<byte>?)certificate, time.GetUtcNow(),
            null);
        return verdict.Outcome == TrustOutcome.Accepted ? (manifest, null) : (null, verdict.Explanation);
    }

    private async Task<(ObjectKey Root, ulong Revision, string? Problem)> FindTagAsync(Manifest manifest, string tag)
    {
        await using FileStream? wire = manifest.History is { } key ? await source.FetchAsync(key) : null;
        if (wire is null)
        {
            return (default, 0, "the repository's tags cannot be had");
        }

        return !(await History.ReadAsync(wire, limits)).TryGet(out History? history, out string? problem) ? (default, 0, problem)
            : history.Find(tag) is { } found ? (found.RootCatalog, found.Revision, null)
            : (default, 0, $"there is no tag '{tag}'");
    }

    private async Task<(byte[]? Bytes, string? Problem)> DocumentAsync(Route route, string path)
    {
        using var all = new MemoryStream();
        string? problem = await downloads.TryAsync(route, path, Manifest.MaxBytes, isAgain: false, bytes => all.Write(bytes.Span));
        return problem is null ? (all.ToArray(), null) : (null, $"{path}: {problem}");
    }

    private async Task<byte[]?> ReadAsync(ObjectKey key)
    {
        await using FileStream? wire = await source.FetchAsync(key);
        if (wire is null || wire.Length > 1 << 20)
        {
            return null;
        }

        byte[] bytes = new byte[wire.Length];
        await wire.ReadExactlyAsync(bytes);
        return bytes;
    }
}
