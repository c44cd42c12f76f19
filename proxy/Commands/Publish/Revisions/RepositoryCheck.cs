using Breakwater.CacheStore;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Commands.Publish.Revisions;

/// <summary>Reads a published repository as a client does: the chain of trust, and every object that the trunk and the tags need.</summary>
internal static class RepositoryCheck
{
    /// <summary>Checks.</summary>
    /// <param name="folder">The repository.</param>
    /// <param name="publicKey">The master key that clients have, PEM; null: signatures are not checked.</param>
    /// <param name="now">The time.</param>
    /// <param name="readsAll">Hash every object; else only look that it is there.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>What is wrong, a sentence each; empty: nothing. And how many objects are needed.</returns>
    public static async Task<(IReadOnlyList<string> Problems, int Objects)> RunAsync(
        RepositoryFolder folder, string? publicKey, DateTimeOffset now, bool readsAll, CancellationToken cancellationToken)
    {
        CurrentRepository current = await CurrentRepository.LoadAsync(folder, cancellationToken)
            ?? throw new PublishException($"Nothing is published in {folder.Root}.");
        List<string> problems = [];
        if (publicKey is not null && JudgeChain(folder, current, publicKey, now) is { } broken)
        {
            problems.Add(broken);
        }

        if (!ReflogRepair.IsHealthy(folder, current))
        {
            problems.Add("The reflog is not the one that the manifest names: a publisher was killed; "
                + "the next 'breakwater publish' mends it.");
        }

        HashSet<ObjectKey> live = await LiveObjects.FindAsync(folder, current, cancellationToken);
        foreach (ObjectKey key in live)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (readsAll ? !folder.IsGood(key) : !folder.Objects.Contains(key))
            {
                problems.Add($"The object {key} is missing or damaged.");
            }
        }

        return (problems, live.Count);
    }

    private static string? JudgeChain(RepositoryFolder folder, CurrentRepository current, string publicKey, DateTimeOffset now)
    {
        if (!MasterKeys.Of(Fqrn.Parse(folder.Fqrn), publicKey).TryGet(out MasterKeys? keys, out string? problem))
        {
            return problem;
        }

        byte[]? certificate = current.Manifest.Certificate is { } key && folder.Objects.Contains(key)
            ? File.ReadAllBytes(folder.Objects.PathOf(key))
            : null;
        TrustVerdict verdict = new RepositoryTrust(keys).JudgeManifest(
            Fqrn.Parse(folder.Fqrn),
            folder.Read(RepositoryFolder.Manifest),
            folder.Read(RepositoryFolder.Whitelist) ?? [],
            certificate is null ? (ReadOnlyMemory<byte>?)null : certificate,
            now,
            highestRevision: null);
        return verdict.Outcome == TrustOutcome.Accepted ? null : verdict.Explanation;
    }
}
