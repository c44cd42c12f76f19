using System.Runtime.CompilerServices;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Prefetching;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Upstreams;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Admin;

/// <summary>The admin API of repositories and working sets.</summary>
internal sealed class WorkingSetAdmin(
    WorkingSetStore sets,
    WorkingSetPreparer preparer,
    SnapshotSource snapshots,
    SignedDocuments documents,
    RepositoryRoutes repositories,
    TimeProvider time) : IAdminRoom
{
    private const int MaxNamed = 1000;
    private const int MaxImportBytes = 64 << 20;
    private static readonly TimeSpan s_reportInterval = TimeSpan.FromMilliseconds(500);

    /// <inheritdoc/>
    public void Map(AdminApi admin)
    {
        admin.Read("/repositories", "The repositories that were asked for, with revision, trust and what is being fetched ahead.",
            () => documents.Repositories.Select(View));
        admin.Action("/repositories/{repository}/rollback", "Lets a repository go back to this revision, once.", AllowRollback);
        admin.Read("/repositories/{repository}/names/{key}", "Paths of the files that have this object.", NamesAsync, typeof(string[]));
        admin.Read("/working-sets", "What boots read, learned or given.", () => sets.All.Select(View));
        admin.Read("/working-sets/{repository}/{name}", "A working set as a file.", Export);
        admin.Upload("/working-sets/{repository}/{name}", "Imports an exported set, a client's trace or a list of paths.",
            ImportAsync, typeof(WorkingSetView));
        admin.Remove("/working-sets/{repository}/{name}", "Forgets a working set.", Remove);
        admin.Action("/warm", "Fetches and pins what boots read, or given paths; answers a line of progress every half second.",
            OrderAsync, typeof(WarmReport[]));
    }

    private RepositoryView View(RepositoryStatus status) => new(
        status.Repository.Fqrn.ToString(),
        status.Pair?.Parsed.Revision,
        status.Pair is null ? "none" : status.Pair.IsVerified ? "verified" : "unverified",
        status.Pair?.Manifest.CheckedAt.ToUtc(time),
        status.Pair?.Verdict.Whitelist?.ExpiresAt,
        status.HeldRevision,
        status.LastRefusal is { } refusal ? $"{refusal.Reason}: {refusal.Explanation}" : null,
        preparer.ProgressOf(status.Repository.Fqrn) is { } p ? new PrefetchView(p.Total, p.Present, p.Fetched, p.Failed) : null)
    {
        LastFailure = status.LastFailure?.Detail,
    };

    private static WorkingSetView View(WorkingSet set) =>
        new(set.Repository.ToString(), set.Name, set.Source, set.Snapshots, set.Entries.Count, set.WholeDirectories.Count, set.Boots,
            set.UpdatedAt);

    private IResult AllowRollback(string repository, ulong floor)
    {
        if (!TryFind(repository, out RepositoryRoute? route))
        {
            return NotAllowed(repository);
        }

        documents.AllowRollback(route, floor);
        return Results.Json(new { repository, floor }, AdminServer.Json);
    }

    private async Task<IResult> NamesAsync(string repository, string key, CancellationToken cancellationToken)
    {
        if (!TryFind(repository, out RepositoryRoute? route))
        {
            return NotAllowed(repository);
        }

        if (!ObjectKey.TryParse(key, out ObjectKey parsed))
        {
            return new AdminProblem($"'{key}' is not an object's name.",
                "40 hex digits, with -rmd160 or -shake128 and the kind letter where they apply.").Result();
        }

        if (preparer.NameOf(route.Fqrn, parsed) is { } known)
        {
            return Results.Json(new[] { known }, AdminServer.Json);
        }

        if (documents.Find(route) is not { } pair)
        {
            return NoManifest(repository).Result(StatusCodes.Status409Conflict);
        }

        Parsed<Dictionary<ObjectKey, List<KeyName>>> found =
            await KeyNames.FindAsync(snapshots.Tree(route, pair.Parsed.RootCatalog), new HashSet<ObjectKey> { parsed }, _ => true,
            cancellationToken);
        return found.TryGet(out Dictionary<ObjectKey, List<KeyName>>? names, out string? problem)
            ? Results.Json((names.GetValueOrDefault(parsed) ?? []).Select(name => name.Path), AdminServer.Json)
            : new AdminProblem(problem).Result(StatusCodes.Status502BadGateway);
    }

    private IResult Export(string repository, string name) => Fqrn.TryParse(repository, out Fqrn fqrn) && sets.Find(fqrn, name) is { } set
        ? Results.Bytes(WorkingSetFile.Write(set), "application/json")
        : NoSet(repository, name);

    private IResult Remove(string repository, string name) => Fqrn.TryParse(repository, out Fqrn fqrn) && sets.Remove(fqrn, name)
        ? Results.Json(new { repository, name }, AdminServer.Json)
        : NoSet(repository, name);

    /// <summary>
    /// Takes an exported set, a client's trace, a list of paths, or (with <paramref name="pinFile"/>) the path of a pin file in the
    /// repository.
    /// </summary>
    private async Task<IResult> ImportAsync(string repository, string name, string? tag, string? pinFile, HttpRequest request,
        CancellationToken cancellationToken)
    {
        if (!TryFind(repository, out RepositoryRoute? route))
        {
            return NotAllowed(repository);
        }

        using var text = new MemoryStream();
        byte[] buffer = new byte[64 << 10];
        int read;
        while ((read = await request.Body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            text.Write(buffer, 0, read);
            if (text.Length > MaxImportBytes)
            {
                return new AdminProblem($"A working set has at most {MaxImportBytes} bytes.").Result(StatusCodes.Status413PayloadTooLarge);
            }
        }

        Parsed<ImportedSet> set =
            await new WorkingSetImport(snapshots, documents, time).ReadAsync(route, name, tag, pinFile, text.ToArray(), cancellationToken);
        if (!set.TryGet(out ImportedSet? imported, out string? problem))
        {
            return new AdminProblem(problem).Result();
        }

        await sets.PutAsync(imported.Set);
        return Results.Json(
            View(imported.Set) with
            {
                Unmatched = imported.Unmatched.Count == 0 ? null : [.. imported.Unmatched.Take(MaxNamed)],
                SkippedLines = imported.SkippedLines == 0 ? null : imported.SkippedLines,
            },
            AdminServer.Json);
    }

    private async Task<IResult> OrderAsync(WarmOrder order, CancellationToken cancellationToken)
    {
        if (!TryFind(order.Repository, out RepositoryRoute? route))
        {
            return NotAllowed(order.Repository);
        }

        Parsed<IReadOnlyList<WorkingSetEntry>> paths = GivenSets.ReadPaths(string.Join('\n', order.Paths ?? []), fqrn: route.Fqrn);
        if (!paths.TryGet(out IReadOnlyList<WorkingSetEntry>? entries, out string? problem))
        {
            return new AdminProblem(problem).Result();
        }

        if (order.Paths is { Count: > 0 } && entries.Count == 0)
        {
            // an empty variable of a script
            return new AdminProblem("--paths names no path.", "Give a path such as /bin/sh, or --all for everything.").Result();
        }

        if (order.Name is not null && !PinName.IsGiven(order.Name))
        {
            return new AdminProblem(
                $"A pin's name has at most {PinName.MaxGivenChars} characters, none of them a slash or control character.").Result();
        }

        order = order with
        {
            Tag = string.IsNullOrEmpty(order.Tag) ? null : order.Tag,
            WorkingSet = string.IsNullOrEmpty(order.WorkingSet) ? null : order.WorkingSet,
        };
        IReadOnlyList<WorkingSet>? chosen = Choose(route.Fqrn, order, entries);
        if (chosen is { Count: > 0 })
        {
            PinName? pin = NameOf(order) is { } name ? PinName.OfWarmSet(route.Fqrn, name) : null;
            return Results.Json(WarmAsync(route, chosen, pin, cancellationToken), AdminServer.Json);
        }

        // Of a repository that no Stratum 1 has, more words on the command line bring nothing either.
        UpstreamFailure? failure = await CheckAsync(route, cancellationToken);
        return documents.Find(route) is null
            ? NoManifest(route, failure).Result(StatusCodes.Status404NotFound)
            : new AdminProblem(
                order.WorkingSet is null
                ? $"'{order.Repository}' has no working set yet{(order.Tag is { } tag ? $" that could be fetched at tag '{tag}'" : "")}."
                : $"'{order.Repository}' has no working set '{order.WorkingSet}'.",
                "Name --paths or --all, or import a set with 'breakwater profile import'.").Result(StatusCodes.Status404NotFound);
    }

    private IReadOnlyList<WorkingSet>? Choose(Fqrn repository, WarmOrder order, IReadOnlyList<WorkingSetEntry> paths)
    {
        if (order.All || order.Paths is { Count: > 0 })
        {
            return [new WorkingSet
            {
                Name = "warm",
                Repository = repository,
                Source = WorkingSetSource.Given,
                Snapshots = [order.Tag ?? WorkingSet.Trunk],
                Entries = order.All ? [new WorkingSetEntry { Path = "/**" }] : paths,
            }];
        }

        IReadOnlyList<WorkingSet> known = order.WorkingSet is { } name
            ? (sets.Find(repository, name) is { } set ? [set] : [])
            : sets.Of(repository);
        return order.Tag is { } tag ? [.. known.Select(one => one with { Snapshots = [tag] })] : known;
    }

    private async IAsyncEnumerable<WarmReport> WarmAsync(
        RepositoryRoute route, IReadOnlyList<WorkingSet> chosen, PinName? pin,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var progress = new PrefetchProgress();
        UpstreamFailure? failure = await CheckAsync(route, cancellationToken);
        if (documents.Find(route) is not { } pair)
        {
            yield return Report(progress, true, NoManifest(route, failure).Error);
            yield break;
        }

        Task<string?> warming =
            preparer.PrepareAsync(route, chosen, pair.Parsed, progress, PrefetchAim.Memory, pin, cancellationToken);
        while (!warming.IsCompleted)
        {
            await Task.WhenAny(warming, Task.Delay(s_reportInterval, time, cancellationToken));
            yield return Report(progress, false, null);
        }

        WarmReport last = Report(progress, true, await warming);
        yield return last with
        {
            Unmatched = progress.Unmatched.Count == 0 ? null : [.. progress.Unmatched.Take(MaxNamed)],
            Pin = last is { Problem: null, Total: > 0 } ? pin?.Text : null,
        };
    }

    /// <summary>Looks whether there is a newer manifest, as for a client; why none came.</summary>
    private async Task<UpstreamFailure?> CheckAsync(RepositoryRoute route, CancellationToken cancellationToken) =>
        (await documents.GetAsync(new DocumentRequest(DocumentKind.File, route, SignedDocuments.ManifestPath, null), cancellationToken))
        .Failure;

    /// <summary>Under which name its objects are pinned; null: it is for the standing sets as they are, and theirs.</summary>
    private static string? NameOf(WarmOrder order) =>
        order.Name is { Length: > 0 } given ? given : (order.All || order.Paths is { Count: > 0 }, order.Tag, order.WorkingSet) switch
        {
            (false, null, null) => null,
            (false, var tag, { } set) => $"{tag ?? "newest"}/{set}",
            (_, var tag, _) => tag ?? "newest",
        };

    private static WarmReport Report(PrefetchProgress progress, bool isDone, string? problem) =>
        new(progress.Total, progress.Present, progress.Fetched, progress.Failed, isDone, problem);

    private bool TryFind(string repository, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out RepositoryRoute? route)
    {
        route = null;
        return Fqrn.TryParse(repository, out Fqrn fqrn) && repositories.TryFind(fqrn, out route);
    }

    private static IResult NoSet(string repository, string name) => new AdminProblem(
        $"'{repository}' has no working set '{name}'.", "See them with 'breakwater profile list'.").Result(StatusCodes.Status404NotFound);

    private static IResult NotAllowed(string repository) =>
        new AdminProblem($"The repository '{repository}' is not in Repositories of this proxy.").Result(StatusCodes.Status404NotFound);

    private static AdminProblem NoManifest(RepositoryRoute route, UpstreamFailure? failure) => failure switch
    {
        { Kind: FailureKind.NotFound } => new($"No Stratum 1 of the cluster '{route.Cluster}' has the repository '{route.Fqrn}'.",
            "Is its name right, and is it in the right cluster (Repositories)?"),
        { } other => new($"No manifest of '{route.Fqrn}' came: {other.Detail}.", "'breakwater doctor' looks at the Stratum 1s."),
        null => NoManifest(route.Fqrn.ToString()),
    };

    private static AdminProblem NoManifest(string repository) =>
        new($"No manifest of '{repository}' is here yet.", "Is a Stratum 1 reachable?");
}
