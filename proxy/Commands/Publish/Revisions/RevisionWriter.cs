using System.Security.Cryptography;
using Breakwater.CacheStore;
using Breakwater.Proxy.Commands.Publish.Keys;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Repositories;
using Breakwater.Repositories.Writing;

namespace Breakwater.Proxy.Commands.Publish.Revisions;

/// <summary>
/// Makes what is in a folder the current revision. It writes history, certificate and whitelist, makes everything durable, and then writes
/// the reflog and last the manifest. A publisher that is killed before that leaves the old revision whole.
/// </summary>
/// <param name="folder">The repository.</param>
/// <param name="keys">Its keys.</param>
/// <param name="validity">How long a new whitelist is valid.</param>
internal sealed class RevisionWriter(RepositoryFolder folder, PublishKeys keys, TimeSpan validity)
{
    /// <summary>Signs and shows a revision.</summary>
    /// <param name="before">What is shown now; null: nothing.</param>
    /// <param name="next">What is to be shown.</param>
    /// <param name="forgotten">References of the reflog that are no more; null: none.</param>
    /// <returns>The manifest that clients read.</returns>
    public Manifest Write(CurrentRepository? before, Revision next, Func<ObjectKey, bool>? forgotten = null)
    {
        RsaSigner signer = keys.ReadSigning();
        byte[] whitelist = WhitelistRenewal.Choose(folder, keys, validity, next.PublishedAt);
        ObjectKey certificate = folder.Objects.Put(keys.ReadCertificate(), 'X');
        ObjectKey history = WriteHistory(before, next.Tags);
        byte[] reflog = WriteReflog(
            [
                .. (before?.References ?? []).Where(reference => forgotten?.Invoke(reference.Key) != true),
                .. ((ObjectKey[])[next.RootCatalog, certificate, history]).Select(key => KeyValuePair.Create(key, next.PublishedAt)),
            ]);
#pragma warning disable CA5350 // The format's hash of the reflog.
        string reflogSha1 = Convert.ToHexStringLower(SHA1.HashData(reflog));
#pragma warning restore CA5350
        byte[] manifest = new ManifestDraft
        {
            RepositoryName = folder.Fqrn,
            Revision = next.Number,
            RootCatalog = next.RootCatalog,
            RootCatalogBytes = next.RootCatalogBytes,
            Ttl = next.Ttl,
            Certificate = certificate,
            History = history,
            ReflogSha1 = reflogSha1,
            PublishedAt = next.PublishedAt,
        }.Sign(signer);
        Parsed<Manifest> parsed = Manifest.Parse(manifest);
        if (!parsed.TryGet(out Manifest? read, out string? problem))
        {
            throw new PublishException($"The new manifest cannot be read back: {problem}");
        }

        FileSystemSync.Run(folder.Root);
        if (folder.Read(RepositoryFolder.Whitelist) is not { } shown || !shown.AsSpan().SequenceEqual(whitelist))
        {
            folder.Write(RepositoryFolder.Whitelist, whitelist);
        }

        if (folder.Read(".cvmfs_master_replica") is null)
        {
            folder.Write(".cvmfs_master_replica", []);
        }

        folder.Write(RepositoryFolder.Reflog, reflog);
        folder.Write(RepositoryFolder.Manifest, manifest);
        return read;
    }

    private ObjectKey WriteHistory(CurrentRepository? before, IReadOnlyList<Tag> tags)
    {
        if (before?.Manifest.History is { } same && tags.ToHashSet().SetEquals(before.Tags))
        {
            return same;
        }

        string file = folder.Objects.NewTemporary();
        HistoryWriter.Write(file, Fqrn.Parse(folder.Fqrn), before?.Manifest.History, tags);
        return folder.Objects.PutFile(file, 'H');
    }

    private byte[] WriteReflog(IEnumerable<KeyValuePair<ObjectKey, DateTimeOffset>> references)
    {
        string file = folder.Objects.NewTemporary();
        ReflogWriter.Write(file, Fqrn.Parse(folder.Fqrn), references);
        byte[] bytes = File.ReadAllBytes(file);
        File.Delete(file);
        return bytes;
    }
}
