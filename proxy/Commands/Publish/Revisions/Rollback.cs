using Breakwater.CacheStore;
using Breakwater.Proxy.Commands.Publish.Keys;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Repositories;
using Breakwater.Repositories.Writing;

namespace Breakwater.Proxy.Commands.Publish.Revisions;

/// <summary>Shows an earlier snapshot again, as a new revision: clients never go back in numbers.</summary>
internal static class Rollback
{
    /// <summary>Makes what a tag names the trunk. The tags stay.</summary>
    /// <exception cref="PublishException">Its catalog is missing or damaged.</exception>
    public static Manifest Run(
        RepositoryFolder folder, PublishKeys keys, TimeSpan validity, CurrentRepository current, Tag target, DateTimeOffset time)
    {
        DateTimeOffset now = Revision.NotBefore(current, time);
        ulong number = current.Manifest.Revision + 1;
        folder.Begin();
        string file = folder.Objects.NewTemporary();
        using (FileStream wire = folder.OpenObject(target.RootCatalog))
        using (Stream content = WireContent.Open(wire))
        using (FileStream copy = ObjectFolder.Create(file))
        {
            content.CopyTo(copy);
        }

        CatalogReviser.Revise(file, number, current.Manifest.RootCatalog, now);
        long length = new FileInfo(file).Length;
        ObjectKey root = folder.Objects.PutFile(file, 'C');
        Manifest manifest = new RevisionWriter(folder, keys, validity).Write(current, new Revision
        {
            Number = number,
            RootCatalog = root,
            RootCatalogBytes = length,
            Tags = TagList.WithTrunk(current.Tags, root, length, number, now),
            Ttl = current.Manifest.Ttl,
            PublishedAt = now,
        });
        folder.End();
        return manifest;
    }
}
