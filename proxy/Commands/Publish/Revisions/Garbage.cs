using Breakwater.CacheStore;
using Breakwater.Proxy.Commands.Publish.Catalogs;
using Breakwater.Proxy.Commands.Publish.Keys;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Commands.Publish.Revisions;

/// <summary>Collects the objects that neither the trunk nor a tag needs.</summary>
internal static class Garbage
{
    /// <summary>
    /// Collects. What is to go is forgotten first, by the publisher's memory and by the reflog, so that a kill at any moment leaves at most
    /// objects that nobody names; the next run removes these.
    /// </summary>
    /// <returns>How many objects are gone, and their bytes.</returns>
    /// <exception cref="PublishException">A catalog is missing or damaged: then nothing is removed.</exception>
    public static async Task<(long Objects, long Bytes)> CollectAsync(
        RepositoryFolder folder,
        PublishKeys keys,
        TimeSpan validity,
        CurrentRepository current,
        DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        HashSet<ObjectKey> live = await LiveObjects.FindAsync(folder, current, cancellationToken);
        folder.Begin();
        PublishState state = PublishState.Load(folder.StateFile(PublishState.FileName));
        state.SaveOnly(folder.StateFile(PublishState.FileName), live.Contains);
        if (current.References.Any(reference => !live.Contains(reference.Key)))
        {
            Manifest manifest = new RevisionWriter(folder, keys, validity).Write(
                current, Revision.After(current, current.Tags, now), key => !live.Contains(key));
            live.Add(manifest.History!.Value);
            live.Add(manifest.Certificate!.Value);
        }

        long objects = 0;
        long bytes = 0;
        foreach (DirectoryInfo bucket in new DirectoryInfo(Path.Combine(folder.Root, "data")).EnumerateDirectories())
        {
            foreach (FileInfo file in bucket.EnumerateFiles())
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (ObjectKey.TryParse(bucket.Name + file.Name, out ObjectKey key) && !live.Contains(key))
                {
                    objects++;
                    bytes += file.Length;
                    file.Delete();
                }
            }
        }

        StoredObjects stored = StoredObjects.Load(folder.StateFile(StoredObjects.FileName));
        HashSet<ObjectKey> kept = [.. stored.Keys.Where(live.Contains)];
        objects += stored.Keys.Count(key => !live.Contains(key) && key.Kind is 0 or ObjectKind.Chunk);
        if (kept.Count < stored.Keys.Count)
        {
            // Not what was shown last: the store is told, and unpins the others.
            new StoredObjects("", kept).Save(folder.StateFile(StoredObjects.FileName));
        }

        folder.End();
        return (objects, bytes);
    }
}
