using Breakwater.Proxy.Snapshots;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>All that boots have taught of a repository, as one set: what an operator means by <c>--working-set boot</c>.</summary>
internal static class LearnedBoots
{
    /// <summary>Its name.</summary>
    public const string Name = "boot";

    /// <summary>Merges the learned sets; null: nothing was learned.</summary>
    /// <param name="sets">Sets of one repository.</param>
    public static WorkingSet? Of(IEnumerable<WorkingSet> sets)
    {
        WorkingSet[] learned = [.. sets.Where(set => set.Source == WorkingSetSource.Learned).OrderByDescending(set => set.Boots)];
        return learned.Length == 0 ? null : learned[0] with
        {
            Name = Name,
            Snapshots = [.. learned.SelectMany(set => set.Snapshots).Distinct(StringComparer.Ordinal)],
            Entries = [.. learned.SelectMany(set => set.Entries)],
            WholeDirectories = [.. learned.SelectMany(set => set.WholeDirectories).Distinct(StringComparer.Ordinal)],
            Boots = (int)Math.Min(int.MaxValue, learned.Sum(set => (long)set.Boots)),
        };
    }
}
