using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>
/// Makes a working set of what an operator hands in: an exported set, a client's trace, a list of paths, or a pin file of the repository.
/// </summary>
internal sealed class WorkingSetImport(SnapshotSource snapshots, SignedDocuments documents, TimeProvider time)
{
    /// <summary>Reads a set. The text's form is seen by its first character: <c>{</c> a set, <c>"</c> a trace, else paths.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="name">The set's name.</param>
    /// <param name="tag">The tag that is booted; null: the newest revision.</param>
    /// <param name="pinFile">Absolute path of a pin file in the repository, which is read in place of the text; null: none.</param>
    /// <param name="text">The text.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<Parsed<ImportedSet>> ReadAsync(
        RepositoryRoute repository, string name, string? tag, string? pinFile, byte[] text, CancellationToken cancellationToken)
    {
        if (pinFile is null && Encoding.UTF8.GetString(text) is var form && form.TrimStart().StartsWith('{'))
        {
            return WorkingSetFile.Read(text).TryGet(out WorkingSet? set, out string? why)
                ? new ImportedSet(set with { Repository = repository.Fqrn, Name = name, Snapshots = tag is null ? set.Snapshots : [tag] },
                [], 0)
                : new Malformed(why);
        }

        Parsed<CatalogTree> opened = await OpenAsync(repository, tag, cancellationToken);
        if (!opened.TryGet(out CatalogTree? tree, out string? problem))
        {
            return new Malformed(problem);
        }

        int skipped = 0;
        Parsed<IReadOnlyList<WorkingSetEntry>> parsed = pinFile is null
            ? ReadText(repository.Fqrn, PathText.Of(text), out skipped)
            : await ReadPinsAsync(repository, tree, pinFile, cancellationToken);
        if (!parsed.TryGet(out IReadOnlyList<WorkingSetEntry>? entries, out problem))
        {
            return new Malformed(problem);
        }

        if (entries.Count == 0)
        {
            return new Malformed("It names no path: it must be an exported set, a client's trace or a list of paths.");
        }

        Parsed<IReadOnlyList<string>> whole = await WholeDirectoryRule.FindAsync(tree, entries, cancellationToken);
        if (!whole.TryGet(out IReadOnlyList<string>? directories, out problem))
        {
            return new Malformed(problem);
        }

        var made = new WorkingSet
        {
            Name = name,
            Repository = repository.Fqrn,
            Source = pinFile is null ? WorkingSetSource.Given : WorkingSetSource.Repository,
            Snapshots = [tag ?? WorkingSet.Trunk],
            Entries = entries,
            WholeDirectories = directories,
            UpdatedAt = time.GetUtcNow(),
        };
        Parsed<ResolvedSet> resolved = await ResolvedSet.ResolveAsync(made, tree, null, cancellationToken);
        if (!resolved.TryGet(out ResolvedSet? here, out problem))
        {
            return new Malformed(problem);
        }

        string[] unmatched = [.. here.Unmatched.Where(entry => !entry.IsDirectory).Select(entry => entry.Entry.Path!)];
        return unmatched.Length < entries.Count
            ? new ImportedSet(made, unmatched, skipped)
            : new Malformed(
            $"Nothing of what it names is in {repository.Fqrn}{(tag is null ? "" : " at tag " + tag)}: "
            + $"{string.Join(", ", unmatched.Take(3))}{(unmatched.Length > 3 ? ", …" : "")}");
    }

    private static Parsed<IReadOnlyList<WorkingSetEntry>> ReadText(Fqrn fqrn, string text, out int skipped)
    {
        skipped = 0;
        return GivenSets.IsTrace(text) ? GivenSets.ReadTrace(text, out skipped) : GivenSets.ReadPaths(text, fqrn: fqrn);
    }

    private async Task<Parsed<CatalogTree>> OpenAsync(RepositoryRoute repository, string? tag, CancellationToken cancellationToken)
    {
        DocumentAnswer answer =
            await documents.GetAsync(new DocumentRequest(DocumentKind.File, repository, SignedDocuments.ManifestPath, null),
            cancellationToken);
        if (documents.Find(repository) is not { } pair)
        {
            return new Malformed($"No manifest of '{repository.Fqrn}' can be had: {answer.Failure?.Detail}");
        }

        if (tag is null)
        {
            return snapshots.Tree(repository, pair.Parsed.RootCatalog);
        }

        if (pair.Parsed.History is not ObjectKey key)
        {
            return new Malformed($"'{repository.Fqrn}' has no tags.");
        }

        if (!(await snapshots.ReadHistoryAsync(repository, key, cancellationToken)).TryGet(out History? history, out string? problem))
        {
            return new Malformed(problem);
        }

        return history.Find(tag) is { } found
            ? snapshots.Tree(repository, found.RootCatalog)
            : new Malformed($"'{repository.Fqrn}' has no tag '{tag}'.");
    }

    /// <summary>A pin file lists paths relative to its own directory.</summary>
    private async Task<Parsed<IReadOnlyList<WorkingSetEntry>>> ReadPinsAsync(
        RepositoryRoute repository, CatalogTree tree, string pinFile, CancellationToken cancellationToken)
    {
        Parsed<byte[]> text = await snapshots.ReadFileAsync(repository, tree, pinFile, cancellationToken);
        return text.TryGet(out byte[]? lines, out string? problem)
            ? GivenSets.ReadPaths(PathText.Of(lines), pinFile[..Math.Max(0, pinFile.LastIndexOf('/'))])
            : new Malformed(problem);
    }
}
