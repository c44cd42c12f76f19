using Breakwater.CacheStore;
using Breakwater.Proxy.Commands.Publish.Catalogs;
using Breakwater.Proxy.Commands.Publish.Keys;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Proxy.Commands.Publish.Revisions;
using Breakwater.Proxy.Commands.Publish.Tree;
using Breakwater.Repositories;
using Breakwater.Repositories.Writing;

namespace Breakwater.Proxy.Commands.Publish;

/// <summary>
/// Publishes a directory as the next revision of a repository: the tree is read, then the files that changed since the last time, then
/// catalogs are
/// written from the innermost outwards, then the revision is signed and shown.
/// </summary>
internal sealed class Publisher(PublishRequest request, TimeProvider time)
{
    private readonly List<string> _notes = [];

    /// <summary>Publishes.</summary>
    /// <exception cref="PublishException">It is refused.</exception>
    /// <exception cref="TreeException">The tree cannot be published as it is.</exception>
    /// <exception cref="IOException">The disk does not take it.</exception>
    public async Task<PublishResult> RunAsync(CancellationToken cancellationToken)
    {
        var keys = new PublishKeys(request.Keys, request.Fqrn);
        keys.ReadSigning(); // before the work, not after it
        RefuseOverlap();
        using RepositoryFolder folder = RepositoryFolder.Open(request.Output, request.Fqrn, request.IsVerifying);
        CurrentRepository? before = await CurrentRepository.LoadAsync(folder, cancellationToken);
        CheckTag(before);
        WhitelistRenewal.Choose(folder, keys, request.WhitelistValidity, time.GetUtcNow());
        folder.Begin();
        PublishState state = PublishState.Load(folder.StateFile(PublishState.FileName));

        DateTimeOffset startedAt = time.GetUtcNow();
        var reader = new TreeReader(request.Directory, request.CrossesMounts);
        TreeNode root = reader.Read(cancellationToken);
        _notes.AddRange(reader.Notes);
        if (request.BootFiles is { } list)
        {
            BootFileList.AddTo(root, list, _notes);
        }

        if (request.WorkingSets is { } sets)
        {
            WorkingSetsFile.AddTo(root, sets, request.Fqrn);
        }

        RootMarker.Remove(root, _notes);
        var contents = new ContentReader(folder.Objects, reader);
        StoreContents(root, request.IsVerifying ? PublishState.None : state, contents, cancellationToken);
        folder.Objects.Put([], '\0');

        new CatalogPlan(request.MaxCatalogEntries, key => state.Catalog(key) is { IsAutomatic: true }).Apply(root);
        var builder = new CatalogBuilder(folder.Objects, key => Known(state, key, before, folder));
        DateTimeOffset now = Revision.NotBefore(before, time.GetUtcNow());
        ulong number = (before?.Manifest.Revision ?? 0) + 1;
        CatalogRecord top = builder.Build(root, new CatalogHead
        {
            Prefix = default,
            Revision = number,
            Ttl = request.Ttl,
            ModifiedAt = now,
            Previous = before?.Manifest.RootCatalog,
        }, cancellationToken);

        (Manifest manifest, bool isNew) = Show(folder, keys, before, top, number, now);
        PublishState.Save(folder.StateFile(PublishState.FileName), root, builder.Built, startedAt);
        folder.End();
        NoteLinks(root);
        return new PublishResult(
            manifest,
            isNew,
            top.Self + top.Subtree,
            contents.Files,
            contents.Bytes,
            folder.Objects.Added,
            folder.Objects.AddedBytes,
            _notes);
    }

    /// <summary>A catalog that may be used again; that of the root only while it is the one that clients see.</summary>
    private CatalogRecord? Known(PublishState state, PathKey directory, CurrentRepository? before, RepositoryFolder folder) =>
        state.Catalog(directory) is { } known
        && (directory != PathKey.Of("") || known.Catalog == before?.Manifest.RootCatalog)
        && (!request.IsVerifying || folder.IsGood(known.Catalog))
            ? known
            : null;

    private (Manifest Manifest, bool IsNew) Show(
        RepositoryFolder folder, PublishKeys keys, CurrentRepository? before, CatalogRecord top, ulong number, DateTimeOffset now)
    {
        bool isSame = before is not null && top.Catalog == before.Manifest.RootCatalog && request.Ttl == before.Manifest.Ttl;
        IReadOnlyList<Tag> tags = before?.Tags ?? [];
        if (!isSame)
        {
            tags = TagList.WithTrunk(tags, top.Catalog, top.InflatedBytes, number, now);
        }

        Tag trunk = tags.First(tag => tag.Name == CurrentRepository.Trunk);
        bool isTagged = false;
        foreach (string name in request.Moves.Append(request.Tag).OfType<string>())
        {
            if (tags.FirstOrDefault(tag => tag.Name == name)?.RootCatalog != trunk.RootCatalog)
            {
                tags = TagList.With(tags, name, trunk, request.Description, now);
                isTagged = true;
            }
        }

        bool isHealthy = before is not null && ReflogRepair.IsHealthy(folder, before);
        if (isSame && !isTagged && isHealthy)
        {
            return (before!.Manifest, false);
        }

        var next = new Revision
        {
            Number = number,
            RootCatalog = top.Catalog,
            RootCatalogBytes = top.InflatedBytes,
            Tags = tags,
            Ttl = request.Ttl,
            PublishedAt = now,
        };
        return (new RevisionWriter(folder, keys, request.WhitelistValidity).Write(before, next), true);
    }

    /// <summary>Finds where the bytes of every file are; those that are new or changed are read, each inode once.</summary>
    private static void StoreContents(TreeNode root, PublishState state, ContentReader contents, CancellationToken cancellationToken)
    {
        List<TreeNode> changed = [];
        List<(TreeNode Name, TreeNode First)> others = [];
        Dictionary<(ulong, ulong), TreeNode> linked = [];
        var open = new Stack<TreeNode>([root]);
        while (open.TryPop(out TreeNode? directory))
        {
            foreach (TreeNode child in directory.Children!)
            {
                if (child.Children is not null)
                {
                    open.Push(child);
                }
                else if (child.Stat.IsRegular)
                {
                    bool isOther = child.Stat.Links > 1 && !linked.TryAdd((child.Stat.FileSystem, child.Stat.Inode), child);
                    if (isOther)
                    {
                        others.Add((child, linked[(child.Stat.FileSystem, child.Stat.Inode)]));
                    }
                    else if ((child.Content = state.Find(child)) is null)
                    {
                        changed.Add(child);
                    }
                }
            }
        }

        try
        {
            Parallel.ForEach(
                changed,
                new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = Environment.ProcessorCount },
                contents.Store);
        }
        catch (AggregateException e)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }

        foreach ((TreeNode name, TreeNode first) in others)
        {
            (name.Content, name.Stat) = (first.Content, first.Stat);
        }
    }

    private void NoteLinks(TreeNode root)
    {
        Dictionary<(ulong, ulong), TreeNode> seen = [];
        HashSet<(ulong, ulong)> apart = [];
        var open = new Stack<TreeNode>([root]);
        while (open.TryPop(out TreeNode? directory))
        {
            foreach (TreeNode child in directory.Children!)
            {
                if (child.Children is not null)
                {
                    open.Push(child);
                }
                else if (child.Stat.Links > 1 && !seen.TryAdd((child.Stat.FileSystem, child.Stat.Inode), directory)
                    && seen[(child.Stat.FileSystem, child.Stat.Inode)] != directory)
                {
                    apart.Add((child.Stat.FileSystem, child.Stat.Inode));
                }
            }
        }

        if (apart.Count > 0)
        {
            _notes.Add($"{apart.Count} files have names in several directories: clients see each as a file of its own there, with the same "
                + "bytes, stored once.");
        }
    }

    /// <summary>A tag that is there is moved only by who says so.</summary>
    private void CheckTag(CurrentRepository? before)
    {
        if (request.Tag is { } tag && before?.Tags.Any(known => known.Name == tag) == true)
        {
            throw new PublishException($"The tag {tag} is there already: give another name, or move it with --move {tag}.");
        }
    }

    private void RefuseOverlap()
    {
        string tree = WithSlash(request.Directory), output = WithSlash(request.Output);
        if (output.StartsWith(tree, StringComparison.Ordinal) || tree.StartsWith(output, StringComparison.Ordinal))
        {
            throw new PublishException(
                $"{request.Output} and {request.Directory} lie within each other: a repository would publish itself. "
                    + "Choose another --output.");
        }
    }

    private static string WithSlash(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)).TrimEnd('/') + "/";
}
